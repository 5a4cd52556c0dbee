using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Runtime.Cosmos.Http;

namespace Runtime.Cosmos.Query;

/// <content>Functions of strings. Comparison is by character code, as the service compares.</content>
static partial class Functions
{
    const int RepeatedCharactersMax = 10_000;
    static readonly TimeSpan PatternTimeMax = TimeSpan.FromSeconds(1);

    static void AddStrings()
    {
        AddSearch("CONTAINS", (text, part, comparison) => text.Contains(part, comparison));
        AddSearch("STARTSWITH", (text, part, comparison) => text.StartsWith(part, comparison));
        AddSearch("ENDSWITH", (text, part, comparison) => text.EndsWith(part, comparison));
        AddSearch("STRINGEQUALS", (text, part, comparison) => text.Equals(part, comparison));
        AddText("LOWER", text => Value.Of(text.ToLowerInvariant()));
        AddText("UPPER", text => Value.Of(text.ToUpperInvariant()));
        AddText("LENGTH", text => Value.Of((double)text.Length));
        AddText("REVERSE", text => Value.Of(new string([.. text.Reverse()])));
        AddText("TRIM", text => Value.Of(text.Trim()));
        AddText("LTRIM", text => Value.Of(text.TrimStart()));
        AddText("RTRIM", text => Value.Of(text.TrimEnd()));
        Add("CONCAT", 2, 200, arguments => arguments.All(argument => argument.IsString)
            ? Value.Of(string.Concat(arguments.Select(argument => argument.Text)))
            : Value.Undefined);
        Add("SUBSTRING", 3, 3, arguments => arguments is [{ IsString: true }, { IsNumber: true }, { IsNumber: true }]
            ? Value.Of(Slice(arguments[0].Text, arguments[1].Number, arguments[2].Number))
            : Value.Undefined);
        Add("LEFT", 2, 2, arguments => arguments is [{ IsString: true }, { IsNumber: true }]
            ? Value.Of(Slice(arguments[0].Text, 0, arguments[1].Number))
            : Value.Undefined);
        Add("RIGHT", 2, 2, arguments => arguments is [{ IsString: true } text, { IsNumber: true } count]
            ? Value.Of(Slice(text.Text, text.Text.Length - Math.Clamp(count.Number, 0, text.Text.Length), count.Number))
            : Value.Undefined);
        Add("REPLACE", 3, 3, arguments => arguments.All(argument => argument.IsString)
            ? Value.Of(arguments[1].Text.Length == 0
                ? arguments[0].Text
                : arguments[0].Text.Replace(arguments[1].Text, arguments[2].Text, StringComparison.Ordinal))
            : Value.Undefined);
        Add("REPLICATE", 2, 2, Replicate);
        Add("INDEX_OF", 2, 3, IndexOf);
        Add("REGEXMATCH", 2, 3, RegexMatch);
        Add("TOSTRING", 1, 1, arguments => AsText(arguments[0]));
        Add("STRINGJOIN", 2, 2, arguments => arguments[1].IsString && arguments[0].Elements().All(part => part.IsString)
            ? Value.Of(string.Join(arguments[1].Text, arguments[0].Elements().Select(part => part.Text)))
            : Value.Undefined);
        Add("STRINGSPLIT", 2, 2, arguments => arguments is [{ IsString: true }, { IsString: true }]
            ? Value.Of((IReadOnlyList<Value>)[.. arguments[0].Text.Split(arguments[1].Text).Select(Value.Of)])
            : Value.Undefined);
        AddText("STRINGTONUMBER", text => Parsed(text) is { IsNumber: true } number ? number : Value.Undefined);
        AddText("STRINGTOBOOLEAN", text => Parsed(text) is { Kind: ValueKind.Boolean } value ? value : Value.Undefined);
        AddText("STRINGTONULL", text => Parsed(text) is { Kind: ValueKind.Null } value ? value : Value.Undefined);
        AddText("STRINGTOARRAY", text => Parsed(text) is { Kind: ValueKind.Array } value ? value : Value.Undefined);
        AddText("STRINGTOOBJECT", text => Parsed(text) is { Kind: ValueKind.Object } value ? value : Value.Undefined);
    }

    static void AddSearch(string name, Func<string, string, StringComparison, bool> search) =>
        Add(name, 2, 3, arguments =>
        {
            var ignoresCase = arguments.Length == 3 && arguments[2].IsTrue;
            return arguments[0].IsString && arguments[1].IsString
                ? Value.Of(search(arguments[0].Text, arguments[1].Text,
                    ignoresCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal))
                : Value.Undefined;
        });

    static string Slice(string text, double start, double length)
    {
        var from = (int)Math.Clamp(Math.Truncate(start), 0, text.Length);
        return text.Substring(from, (int)Math.Clamp(Math.Truncate(length), 0, text.Length - from));
    }

    static Value Replicate(Value[] arguments)
    {
        if (arguments is not [{ IsString: true }, { IsNumber: true, Number: >= 0 }])
        {
            return Value.Undefined;
        }

        var length = arguments[0].Text.Length * Math.Truncate(arguments[1].Number);
        return length <= RepeatedCharactersMax
            ? Value.Of(new StringBuilder().Insert(0, arguments[0].Text, (int)arguments[1].Number).ToString())
            : Value.Undefined;
    }

    static Value IndexOf(Value[] arguments)
    {
        if (arguments is not [{ IsString: true }, { IsString: true }, ..])
        {
            return Value.Undefined;
        }

        var text = arguments[0].Text;
        var start = arguments.Length == 3 ? (int)Math.Clamp(arguments[2].Number, 0, text.Length) : 0;
        return Value.Of((double)text.IndexOf(arguments[1].Text, start, StringComparison.Ordinal));
    }

    static Value RegexMatch(Value[] arguments)
    {
        if (arguments is not [{ IsString: true }, { IsString: true }, ..])
        {
            return Value.Undefined;
        }

        var options = RegexOptions.CultureInvariant;
        foreach (var modifier in arguments.Length == 3 && arguments[2].IsString ? arguments[2].Text : "")
        {
            options |= modifier switch
            {
                'm' => RegexOptions.Multiline,
                's' => RegexOptions.Singleline,
                'i' => RegexOptions.IgnoreCase,
                'x' => RegexOptions.IgnorePatternWhitespace,
                _ => throw Refused.BadRequest($"REGEXMATCH does not know the modifier '{modifier}'."),
            };
        }

        try
        {
            return Value.Of(Regex.IsMatch(arguments[0].Text, arguments[1].Text, options, PatternTimeMax));
        }
        catch (RegexParseException malformed)
        {
            throw Refused.BadRequest($"The pattern of REGEXMATCH is not valid: {malformed.Message}");
        }
        catch (RegexMatchTimeoutException)
        {
            throw Refused.BadRequest("The pattern of REGEXMATCH takes too long to match.");
        }
    }

    static Value AsText(Value value) => value.Kind switch
    {
        ValueKind.Undefined => Value.Undefined,
        ValueKind.String => value,
        _ => Value.Of(JsonText.Of(value)),
    };

    static Value Parsed(string text)
    {
        try
        {
            return Value.Of(JsonElement.Parse(text.Trim(), new() { MaxDepth = CosmosLimits.NestingMax }));
        }
        catch (JsonException)
        {
            // Text that is no JSON is an everyday argument of these functions and gives undefined.
            return Value.Undefined;
        }
    }
}
