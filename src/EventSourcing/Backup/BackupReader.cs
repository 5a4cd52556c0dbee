using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace EventSourcing.Backup;

/// <summary>A line that was found whole: what it says, its number, the sum it ends with and where it ends.</summary>
readonly record struct ReadLine(BackupLine Content, long Number, string Sum, long EndOffset);

/// <summary>Reads a backup line by line and believes each only when it follows the one before.</summary>
static class BackupReader
{
    /// <summary>The largest event, and room for what stands around it.</summary>
    public const int LineBytesMax = AppendLimits.EventBytesMax + 4096;

    /// <summary>Every line up to the end; the last one given is the end itself.</summary>
    /// <exception cref="BackupRefusedException">The file is torn, edited, or goes on behind its end.</exception>
    public static async IAsyncEnumerable<ReadLine> ReadAsync(
        Stream source, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var (number, sum, offset, ended) = (0L, BackupLine.FirstSum, 0L, false);
        await foreach (var bytes in SplitAsync(source, cancellation))
        {
            number++;
            if (ended) throw new BackupRefusedException(number, "it stands behind the end.");
            var line = BackupLine.Open(bytes, number, sum);
            CheckPlace(line, number);
            (sum, offset, ended) = (line.Sum!, offset + bytes.Length + 1, line.End is not null);
            yield return new(line, number, sum, offset);
        }

        if (!ended) throw new BackupRefusedException(number + 1, "it is missing, the backup has no end.", isTorn: true);
    }

    static void CheckPlace(BackupLine line, long number)
    {
        if ((line.Header is not null) != (number == 1))
            throw new BackupRefusedException(number, "a backup has its header in the first line and nowhere else.");
        if (line.Header is { } header && (header.Format != BackupHeader.FormatName
            || header.Version != BackupHeader.VersionNow))
            throw new BackupRefusedException(
                number, $"it is a {header.Format} of version {header.Version}, which this code does not read.");
        if (line is { Header: null, Event: null, Checkpoint: null, End: null })
            throw new BackupRefusedException(number, "it says nothing this version knows.");
    }

    static async IAsyncEnumerable<byte[]> SplitAsync(
        Stream source, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var reader = PipeReader.Create(source, new(bufferSize: 64 * 1024, leaveOpen: true));
        var number = 0L;
        while (true)
        {
            var read = await reader.ReadAsync(cancellation);
            var buffer = read.Buffer;
            while (buffer.PositionOf((byte)'\n') is { } feed)
            {
                number++;
                yield return buffer.Slice(0, feed).ToArray();
                buffer = buffer.Slice(buffer.GetPosition(1, feed));
            }

            if (buffer.Length > LineBytesMax)
                throw new BackupRefusedException(number + 1, $"it is longer than {LineBytesMax} bytes.");
            if (read.IsCompleted)
            {
                if (!buffer.IsEmpty) throw new BackupRefusedException(number + 1, "it is torn.", isTorn: true);
                break;
            }

            reader.AdvanceTo(buffer.Start, buffer.End);
        }

        await reader.CompleteAsync();
    }
}
