using Functions.Projections;
using Microsoft.Azure.Cosmos;

namespace Functions.Choreography;

/// <summary>An answer that a context still owes: its message ended with the dead letters of the subscription.</summary>
/// <remarks>
/// <c>Order</c> is null when the message does not say so itself; <c>Since</c> is when the event happened that is to be
/// answered. <c>Redriven</c> times the watch has sent it again already and does so at <c>Next</c>, which is null when
/// somebody has to.
/// </remarks>
public sealed record OwedAnswer(
    string Subscription, string Event, string MessageId, Guid? Order, DateTimeOffset Since, int Redriven,
    DateTimeOffset? Next, string? Why);

/// <summary>What the watch over the dead letters found when it last looked.</summary>
public sealed record OwedAnswers(DateTimeOffset CheckedAt, IReadOnlyList<OwedAnswer> Waiting, int Count)
{
    public string Id { get; init; } = OwedAnswersFound.DocumentId;

    public string Pk { get; init; } = OwedAnswersFound.Partition;
}

/// <summary>Keeps what was found where every part of the app can read it, whoever may look at the messages.</summary>
public sealed class OwedAnswersFound(Database database)
{
    internal const string DocumentId = "owed-answers";
    internal const string Partition = "choreography";

    readonly Container container = database.GetContainer(ProjectionStates.ContainerName);

    /// <summary>Null before the first look.</summary>
    public async Task<OwedAnswers?> ReadAsync(CancellationToken cancellation) =>
        (await container.FindAsync<OwedAnswers>(DocumentId, Partition, cancellation)).Found;

    /// <summary>One watch runs at a time, and the next one writes all of it anew.</summary>
    internal Task SaveAsync(OwedAnswers found, CancellationToken cancellation) =>
        container.PutAsync(found, Partition, cancellation);
}
