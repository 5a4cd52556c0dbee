using System.Text.Json;

namespace EventSourcing.Tests;

/// <summary>
/// Makes an event as it is stored, for tests that go past the decider. What else a test is about it says by
/// <c>with</c>. Other test projects compile this file too.
/// </summary>
static class SampleEvent
{
    public static StoredEvent Of(
        string stream, long sequence, string type, object data, string command = "command", int index = 0) => new()
        {
            Id = StoredEvent.IdOf(sequence),
            StreamId = stream,
            Sequence = sequence,
            EventId = Guid.NewGuid(),
            EventType = type,
            EventVersion = 1,
            EventData = JsonSerializer.SerializeToElement(data, StoredJson.Options),
            Timestamp = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero),
            CorrelationId = "correlation",
            CausationId = "causation",
            CommandId = command,
            CommandKey = StoredEvent.CommandKeyOf(command, index),
            CommandHash = "hash",
        };
}
