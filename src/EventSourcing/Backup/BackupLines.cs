using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace EventSourcing.Backup;

/// <summary>A backup can not be used: it is torn, edited, or not what it says; the message names the line.</summary>
public sealed class BackupRefusedException(long line, string why, bool isTorn = false)
    : InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"Line {line} of the backup: {why}"))
{
    public long Line { get; } = line;

    /// <summary>Everything up to here is whole, and then the file ends too soon.</summary>
    public bool IsTorn { get; } = isTorn;
}

/// <summary>One line of a backup, as newline-delimited JSON. Exactly one of its parts is there.</summary>
/// <remarks>
/// The format is a storage contract. The first line is a header, then come events, behind every page of them a
/// checkpoint, and one end. Each line carries a sum over its own bytes and the sum of the line before, so a line that
/// was changed, lost, doubled or moved is noticed at that very line.
/// </remarks>
sealed record BackupLine
{
    public BackupHeader? Header { get; init; }

    public StoredEvent? Event { get; init; }

    public BackupCheckpoint? Checkpoint { get; init; }

    public BackupEnd? End { get; init; }

    /// <summary>The sum that closes the line; written by <see cref="Close"/> alone.</summary>
    public string? Sum { get; init; }

    public const string FirstSum = "0000000000000000";

    static readonly byte[] SumMark = Encoding.ASCII.GetBytes(",\"sum\":\"");
    static readonly int TailLength = SumMark.Length + FirstSum.Length + 2;

    static readonly JsonSerializerOptions Options = new(StoredJson.Options)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>The line as bytes, closed with its sum, and the sum for the next line.</summary>
    public (byte[] Bytes, string Sum) Close(string before)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(this with { Sum = null }, Options);
        var open = json.AsSpan(0, json.Length - 1);
        var sum = SumOf(open, before);
        return ([.. open, .. SumMark, .. Encoding.ASCII.GetBytes(sum), .. "\"}\n"u8], sum);
    }

    /// <exception cref="BackupRefusedException">The line was changed, or another one belongs before it.</exception>
    public static BackupLine Open(ReadOnlySpan<byte> line, long number, string before)
    {
        if (line.Length <= TailLength || !line[^TailLength..].StartsWith(SumMark) || !line.EndsWith("\"}"u8))
            throw new BackupRefusedException(number, "it is torn: it does not end with its sum.");
        var sum = SumOf(line[..^TailLength], before);
        if (!line[^(FirstSum.Length + 2)..^2].SequenceEqual(Encoding.ASCII.GetBytes(sum)))
            throw new BackupRefusedException(number, "it, or the line before it, is not the one that was written.");
        return Parse(line, number);
    }

    /// <summary>The content alone, without a look at what came before.</summary>
    public static BackupLine Parse(ReadOnlySpan<byte> line, long number)
    {
        try
        {
            return JsonSerializer.Deserialize<BackupLine>(line, Options)!;
        }
        catch (JsonException malformed)
        {
            throw new BackupRefusedException(number, $"it is not as this version writes it: {malformed.Message}");
        }
    }

    static string SumOf(ReadOnlySpan<byte> open, string before)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        using var sum = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        sum.AppendData(Encoding.ASCII.GetBytes(before));
        sum.AppendData(open);
        sum.GetHashAndReset(hash);
        return Convert.ToHexStringLower(hash[..(FirstSum.Length / 2)]);
    }
}

/// <summary>What file this is.</summary>
sealed record BackupHeader(string Format, int Version, DateTimeOffset CreatedAt)
{
    public const string FormatName = "event-backup";
    public const int VersionNow = 1;
}

/// <summary>Everything before this line is whole, and behind the continuation there may be more.</summary>
sealed record BackupCheckpoint(string Continuation, long Events, string Digest);

/// <summary>The last line: how many events there are, and a digest of all of them in any order.</summary>
sealed record BackupEnd(long Events, string Digest);
