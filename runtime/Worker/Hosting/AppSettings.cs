using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;

namespace Runtime.Worker;

/// <summary>The settings of the application, read as Azure reads them.</summary>
public sealed partial class AppSettings(IConfiguration configuration)
{
    /// <summary>The value of a setting; "A__B" and "A:B" are one name, and an empty value is no value.</summary>
    public string? this[string name] =>
        configuration[name.Replace("__", ":", StringComparison.Ordinal)] is { Length: > 0 } value ? value : null;

    /// <summary>Whether the setting is "true" or "1"; what is neither true nor false is refused.</summary>
    public bool IsTrue(string name) => this[name] switch
    {
        null or "0" => false,
        "1" => true,
        var text => bool.TryParse(text, out var value)
            ? value
            : throw new FunctionsRefusedException($"Setting '{name}' is '{text}'; true or false is needed."),
    };

    /// <summary>Replaces every %NAME% by the setting of that name.</summary>
    /// <exception cref="FunctionsRefusedException">A name has no setting.</exception>
    public string Expand(string text) => Token().Replace(text, match => this[match.Groups[1].Value]
        ?? throw new FunctionsRefusedException(
            $"'{text}' needs the setting '{match.Groups[1].Value}', which is not set."));

    [GeneratedRegex("%([^%]+)%")]
    private static partial Regex Token();
}
