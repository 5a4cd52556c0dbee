using System.Text.Json;

namespace Runtime.Cosmos.Storage;

/// <summary>The values of one unique key constraint in one canonical spelling.</summary>
/// <remarks>A missing value counts as null and takes part in the constraint, as the service documents it.</remarks>
static class UniqueKey
{
    public static string Of(JsonElement document, IReadOnlyList<PropertyPath> paths)
    {
        if (paths.Count == 1)
        {
            return Component(document, paths[0]);
        }

        return string.Concat(paths.Select(path =>
        {
            var component = Component(document, path);
            return $"{component.Length}:{component}";
        }));
    }

    static string Component(JsonElement document, PropertyPath path)
    {
        if (!path.TryFind(document, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return "z";
        }

        return value.ValueKind switch
        {
            JsonValueKind.String => "s" + value.GetString(),
            JsonValueKind.Number => FormattableString.Invariant($"n{value.GetDouble() + 0.0:R}"),
            _ => "j" + value.GetRawText(),
        };
    }
}

/// <summary>One taken value of one unique key constraint; it lives in its item's logical partition.</summary>
sealed record UniqueEntry(int Constraint, string Value, Item Item);

sealed class UniqueOrder : IComparer<UniqueEntry>
{
    public static readonly UniqueOrder Instance = new();

    public int Compare(UniqueEntry? x, UniqueEntry? y) =>
        Compare(x!.Item.Partition.Ordinal, x.Constraint, x.Value, y!);

    public static int Compare(int partition, int constraint, string value, UniqueEntry entry)
    {
        var order = partition.CompareTo(entry.Item.Partition.Ordinal);
        order = order != 0 ? order : constraint.CompareTo(entry.Constraint);
        return order != 0 ? order : string.CompareOrdinal(value, entry.Value);
    }
}

readonly struct UniqueProbe(int partition, int constraint, string value) : IProbe<UniqueEntry>
{
    public int Compare(UniqueEntry entry) => UniqueOrder.Compare(partition, constraint, value, entry);
}
