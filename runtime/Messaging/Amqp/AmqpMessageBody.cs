using System.Diagnostics.CodeAnalysis;

namespace Azure.Core.Amqp;

/// <summary>The body of a message: one or more runs of bytes.</summary>
/// <remarks>Value and sequence bodies are not declared: nothing in this system sends them.</remarks>
public class AmqpMessageBody
{
    readonly IEnumerable<ReadOnlyMemory<byte>> data;

    public AmqpMessageBody(IEnumerable<ReadOnlyMemory<byte>> data)
    {
        ArgumentNullException.ThrowIfNull(data);
        this.data = data;
    }

    public AmqpMessageBodyType BodyType { get; } = AmqpMessageBodyType.Data;

    public static AmqpMessageBody FromData(IEnumerable<ReadOnlyMemory<byte>> data) => new(data);

    public bool TryGetData([NotNullWhen(true)] out IEnumerable<ReadOnlyMemory<byte>>? data)
    {
        data = this.data;
        return true;
    }

    internal ReadOnlyMemory<byte> Flatten()
    {
        if (data is ReadOnlyMemory<byte>[] { Length: 1 } single)
        {
            return single[0];
        }

        using var joined = new MemoryStream();
        foreach (var run in data)
        {
            joined.Write(run.Span);
        }

        return joined.ToArray();
    }
}

public enum AmqpMessageBodyType
{
    Data,
    Value,
    Sequence,
}
