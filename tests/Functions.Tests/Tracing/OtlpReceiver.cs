using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Functions.Tests.Tracing;

/// <summary>Takes in OTLP over HTTP and shows what arrived, as far as a test asks.</summary>
sealed class OtlpReceiver : IAsyncDisposable
{
    readonly WebApplication app;
    readonly ConcurrentQueue<(string Path, byte[] Body)> received = [];

    OtlpReceiver()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        app = builder.Build();
        app.MapPost("/{**path}", async (HttpContext http) =>
        {
            using var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body);
            received.Enqueue((http.Request.Path, body.ToArray()));
        });
    }

    public string Address => app.Urls.Single();

    public static async Task<OtlpReceiver> StartAsync()
    {
        var receiver = new OtlpReceiver();
        await receiver.app.StartAsync();
        return receiver;
    }

    /// <summary>Names of spans: resource_spans, scope_spans, spans, name.</summary>
    public IReadOnlyList<string> Spans => Texts("/v1/traces", 1, 2, 2, 5);

    /// <summary>Names of metrics: resource_metrics, scope_metrics, metrics, name.</summary>
    public IReadOnlyList<string> Metrics => Texts("/v1/metrics", 1, 2, 2, 1);

    /// <summary>Values of the resource's attributes: resource_spans, resource, attributes, value, string.</summary>
    public IReadOnlyList<string> Resource => Texts("/v1/traces", 1, 1, 1, 2, 1);

    public ValueTask DisposeAsync() => app.DisposeAsync();

    List<string> Texts(string path, params int[] fields) =>
    [
        .. received.Where(request => request.Path == path)
            .SelectMany(request => At(request.Body, fields)).Select(text => Encoding.UTF8.GetString(text.Span)),
    ];

    static IEnumerable<ReadOnlyMemory<byte>> At(ReadOnlyMemory<byte> message, int[] fields) =>
        fields is [var field, .. var rest]
            ? Parts(message).Where(part => part.Field == field).SelectMany(part => At(part.Content, rest))
            : [message];

    /// <summary>The length-delimited fields of a protobuf message; numbers are passed over.</summary>
    static List<(int Field, ReadOnlyMemory<byte> Content)> Parts(ReadOnlyMemory<byte> message)
    {
        var parts = new List<(int, ReadOnlyMemory<byte>)>();
        for (var at = 0; at < message.Length;)
        {
            var tag = Varint(message.Span, ref at);
            switch (tag & 7)
            {
                case 0:
                    Varint(message.Span, ref at);
                    break;
                case 1:
                    at += sizeof(ulong);
                    break;
                case 2:
                    var length = (int)Varint(message.Span, ref at);
                    parts.Add(((int)(tag >> 3), message.Slice(at, length)));
                    at += length;
                    break;
                case 5:
                    at += sizeof(uint);
                    break;
                default:
                    throw new FormatException($"Protobuf has no wire type {tag & 7}.");
            }
        }

        return parts;
    }

    static ulong Varint(ReadOnlySpan<byte> bytes, ref int at)
    {
        var value = 0UL;
        for (var shift = 0; ; shift += 7)
        {
            var next = bytes[at++];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80) return value;
        }
    }
}
