namespace EventSourcing;

/// <summary>What kind of "no" it is, so that a protocol can answer without reading the code.</summary>
public enum RefusalKind
{
    /// <summary>The rules say no in the present state; another state might say yes.</summary>
    Conflict,

    /// <summary>There is no such thing.</summary>
    Unknown,

    /// <summary>The request can never be right, whatever the state.</summary>
    Invalid,

    /// <summary>The caller decided on a version that is no longer the latest.</summary>
    Stale,
}

/// <summary>
/// A decision's "no" in the words of the domain: a stable kebab-case code for machines and a sentence for people.
/// It is data, not an exception: nothing went wrong, and asking again changes nothing.
/// </summary>
public sealed record Refusal(string Code, string Detail, RefusalKind Kind = RefusalKind.Conflict);
