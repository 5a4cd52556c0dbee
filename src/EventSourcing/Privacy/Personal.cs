using System.Collections.Immutable;
using System.Text.Json;

namespace EventSourcing;

/// <summary>
/// Which members of an event are personal, and whose: declared beside the event's stored name. Their text is stored
/// sealed with a key of that person alone, so forgetting the key erases it everywhere, and no event is ever rewritten.
/// </summary>
/// <remarks>A personal member is text, or objects and arrays of text: a sealed number would not be a number.</remarks>
public sealed record Personal
{
    readonly string? category;
    readonly string? subjectMember;

    Personal(string? category, string? subjectMember, IEnumerable<string> members)
    {
        (this.category, this.subjectMember) = (category, subjectMember);
        Members = [.. members];
        if (Members.IsEmpty) throw new ArgumentException("Name the members that are personal.", nameof(members));
    }

    /// <summary>The members as stored, in camel case.</summary>
    public ImmutableArray<string> Members { get; }

    /// <summary>Whether the person is the one the stream itself is about.</summary>
    public bool IsOfOwnStream => category is null && subjectMember is null;

    /// <summary>The stream is about the person: a customer's name on the customer's stream.</summary>
    public static Personal OfOwnStream(params IEnumerable<string> members) => new(null, null, members);

    /// <summary>
    /// Another member names the person: an order's address belongs to the stream <c>customer-…</c> that the order's
    /// member <c>customer</c> names.
    /// </summary>
    public static Personal Of(string category, string subjectMember, params IEnumerable<string> members) =>
        new(category, subjectMember, members);

    /// <summary>Only who asks knows whose it is, and says so in <see cref="CommandContext.Subject"/>.</summary>
    public static Personal OfSubjectAsked(params IEnumerable<string> members) => new("", null, members);

    /// <summary>The person, named by the stream that is about them.</summary>
    /// <exception cref="InvalidOperationException">Nobody said whose it is; nothing is stored unsealed.</exception>
    internal StreamId SubjectOf(StreamId stream, string eventType, JsonElement data, CommandContext context)
    {
        if (IsOfOwnStream) return stream;
        if (subjectMember is null)
            return context.Subject ?? throw new InvalidOperationException(
                $"{eventType} is personal: the command on {stream} must say whose it is.");
        return data.TryGetProperty(subjectMember, out var id) && id.ValueKind == JsonValueKind.String
            ? StreamId.Of(category!, id.GetString()!)
            : throw new InvalidOperationException($"{eventType} on {stream} does not say whose it is.");
    }

    /// <exception cref="ArgumentException">The event has no such member.</exception>
    internal void Check(string eventType, Type type)
    {
        var known = type.GetProperties().Select(p => JsonNamingPolicy.CamelCase.ConvertName(p.Name)).ToHashSet();
        foreach (var member in subjectMember is null ? Members : Members.Add(subjectMember))
        {
            if (!known.Contains(member)) throw new ArgumentException($"{eventType} has no member \"{member}\".");
        }
    }
}
