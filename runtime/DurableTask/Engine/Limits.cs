using Microsoft.DurableTask;

namespace Runtime.DurableTask;

/// <summary>Checks everything that comes from outside before anything is done with it.</summary>
sealed class Limits(DurableEngineOptions options)
{
    internal string InstanceId(string? id)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        if (id.Length > options.InstanceIdCharsMax)
        {
            throw new ArgumentException(
                $"An instance id has at most {options.InstanceIdCharsMax} characters; this one has {id.Length}.");
        }

        if (id[0] == '@')
        {
            throw new ArgumentException($"Instance id '{id}' starts with '@', which is reserved for entities.");
        }

        if (id.AsSpan().IndexOfAny("/\\#?") >= 0 || !IsText(id))
        {
            throw new ArgumentException(
                "An instance id must not contain '/', '\\', '#', '?', control characters or broken surrogates.");
        }

        return id;
    }

    internal string Name(string? name, string what)
    {
        if (string.IsNullOrWhiteSpace(name))
        {
            throw new ArgumentNullException(what, $"The {what} is missing.");
        }

        return Text(name, what);
    }

    internal string Version(TaskVersion version) => Text(version.Version, "version");

    internal string? Payload(string? payload, string what) =>
        payload is null || payload.Length <= options.PayloadCharsMax
            ? payload
            : throw new ArgumentException(
                $"The {what} takes {payload.Length} characters; {options.PayloadCharsMax} are allowed "
                + $"({nameof(DurableEngineOptions.PayloadCharsMax)}). Store it elsewhere and pass a reference.");

    internal string? CustomStatus(string? status) =>
        status is null || status.Length <= options.CustomStatusCharsMax
            ? status
            : throw new ArgumentException(
                $"The custom status takes {status.Length} characters; {options.CustomStatusCharsMax} are allowed "
                + $"({nameof(DurableEngineOptions.CustomStatusCharsMax)}).");

    internal Dictionary<string, string>? Tags(IEnumerable<KeyValuePair<string, string>>? tags)
    {
        if (tags is null)
        {
            return null;
        }

        var copy = new Dictionary<string, string>();
        foreach (var (key, value) in tags)
        {
            copy[Name(key, "tag")] = Text(value ?? "", "tag value");
            if (copy.Count > options.TagsMax)
            {
                throw new ArgumentException($"There are more than {options.TagsMax} tags.");
            }
        }

        return copy.Count == 0 ? null : copy;
    }

    string Text(string text, string what)
    {
        if (text.Length > options.NameCharsMax)
        {
            throw new ArgumentException(
                $"The {what} has {text.Length} characters; {options.NameCharsMax} are allowed.");
        }

        return IsText(text)
            ? text
            : throw new ArgumentException($"The {what} contains control characters or broken surrogates.");
    }

    // Broken surrogates would come back from storage as something else.
    static bool IsText(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsControl(text[i]) || (char.IsSurrogate(text[i]) && !char.IsSurrogatePair(text, i++)))
            {
                return false;
            }
        }

        return true;
    }
}
