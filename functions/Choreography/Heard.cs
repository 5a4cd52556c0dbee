using Azure.Messaging.ServiceBus;
using EventSourcing;
using Functions.Messaging;
using Functions.Storage;

namespace Functions.Choreography;

/// <summary>
/// An event of another context as this one heard it, and the ids under which this one answers.
/// </summary>
/// <remarks>
/// This is the inbox, and it needs no document of its own. A command's id is made of the consumer and the message, and
/// is unique in its stream: the effect and its mark are one event in one append. So a message that comes twice, late,
/// redriven from the dead letters, or to two instances at once asks a stream that has answered already, and is
/// answered as the first time at the cost of a read.
/// </remarks>
public sealed record Heard(string Context, CloudEvent Event)
{
    public object Content { get; } = Event.Content();

    public CommandContext Command(string verb) => new(
        $"{Integration.ChoreographedPrefix}{Context}/{Event.Id:D}/{verb}",
        Event.CorrelationId,
        Event.Id.ToString("D"),
        Context);

    /// <summary>
    /// For an answer that may not be no: the message goes to the dead letters for somebody to look at.
    /// </summary>
    /// <exception cref="ReactionRefusedException">It was no.</exception>
    public void Demand(Refusal? refusal)
    {
        if (refusal is not null) throw new ReactionRefusedException(this, refusal);
    }

    /// <summary>Nobody subscribed to this; the topology and the code disagree.</summary>
    public InvalidOperationException Unexpected() => new($"{Context} does not answer {Event.Type}.");
}

/// <summary>A step that may not be refused was.</summary>
public sealed class ReactionRefusedException(Heard heard, Refusal refusal)
    : InvalidOperationException(
        $"{heard.Context} was refused on {heard.Event.Type} {heard.Event.Id}: {refusal.Code}: {refusal.Detail}");

/// <summary>How long a context waits before it lets a message be delivered again.</summary>
public sealed record Patience(TimeSpan FirstPause, TimeSpan PauseMax)
{
    public static readonly Patience Normal = new(TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(20));

    public TimeSpan PauseAfter(int deliveries) =>
        TimeSpan.FromTicks(Math.Min(FirstPause.Ticks << Math.Clamp(deliveries - 1, 0, 20), PauseMax.Ticks));
}

/// <summary>Takes a message in and lets a context answer it.</summary>
public sealed class Listening(Patience patience, ClaimCheck claims, TimeProvider clock)
{
    /// <summary>
    /// Returns when the answer is stored. What fails is delivered again, and in the end lies with the dead letters.
    /// </summary>
    public async Task HearAsync(
        string context, ServiceBusReceivedMessage message, Func<Heard, Task> answer, CancellationToken cancellation)
    {
        try
        {
            var (body, _) = await claims.UnpackAsync(message.Body.ToMemory(), message.ContentType, cancellation);
            await answer(new(context, CloudEvent.Read(body)));
        }
        catch (Exception) when (!cancellation.IsCancellationRequested)
        {
            // A message given back comes again at once; an outage of a second would use up all its deliveries.
            await Task.Delay(patience.PauseAfter(message.DeliveryCount), clock, cancellation);
            throw;
        }
    }
}
