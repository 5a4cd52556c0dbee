using System.Text.Json;

namespace Runtime.Worker;

/// <summary>Reads <c>local.settings.json</c>, the file that stands in for Azure's application settings.</summary>
public static class LocalSettings
{
    /// <summary>The Core Tools accept comments and trailing commas in both of their files.</summary>
    internal static readonly JsonDocumentOptions Lenient = new()
    {
        CommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
    };

    /// <summary>The file's <c>Values</c>.</summary>
    /// <exception cref="FunctionsRefusedException">The file is missing, encrypted or malformed.</exception>
    public static IReadOnlyDictionary<string, string> Read(string path)
    {
        if (!File.Exists(path))
        {
            throw new FunctionsRefusedException(
                $"There is no '{path}'. Copy local.settings.sample.json to it and adjust the values.");
        }

        using var document = Parse(path);
        var root = document.RootElement;
        if (root.ValueKind is not JsonValueKind.Object)
        {
            throw new FunctionsRefusedException($"'{path}' must hold a JSON object with \"Values\".");
        }

        if (root.TryGetProperty("IsEncrypted", out var encrypted) && encrypted.ValueKind is not JsonValueKind.False)
        {
            throw new FunctionsRefusedException(
                $"'{path}' is encrypted and cannot be read here. Run 'func settings decrypt' first.");
        }

        if (!root.TryGetProperty("Values", out var values) || values.ValueKind is not JsonValueKind.Object)
        {
            throw new FunctionsRefusedException($"'{path}' has no \"Values\" object to read settings from.");
        }

        var settings = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in values.EnumerateObject().Select(p => (p.Name, p.Value)))
        {
            if (value.ValueKind is not JsonValueKind.String)
            {
                throw new FunctionsRefusedException(
                    $"'{path}': Values.{name} is a {value.ValueKind}; settings are strings, so write it in quotes.");
            }

            if (!settings.TryAdd(name, value.GetString()!))
            {
                throw new FunctionsRefusedException($"'{path}': Values.{name} is there twice.");
            }
        }

        return settings;
    }

    static JsonDocument Parse(string path)
    {
        try
        {
            return JsonDocument.Parse(File.ReadAllText(path), Lenient);
        }
        catch (JsonException e)
        {
            throw new FunctionsRefusedException($"'{path}' is not valid JSON: {e.Message}");
        }
    }
}
