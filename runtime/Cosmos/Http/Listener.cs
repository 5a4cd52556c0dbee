using System.Buffers;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Runtime.Cosmos.Http;

/// <summary>The pipeline behind Kestrel, reachable from this machine only.</summary>
sealed class Listener : IAsyncDisposable
{
    readonly WebApplication application;

    Listener(WebApplication application, Uri endpoint) => (this.application, Endpoint) = (application, endpoint);

    public Uri Endpoint { get; }

    public static async Task<Listener> StartAsync(Pipeline pipeline, int port, CancellationToken cancellation)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // Bounded below instead, so that a client that sends too much still hears why.
            kestrel.Limits.MaxRequestBodySize = null;
            // Continuation tokens travel as headers and can hold a long sort key.
            kestrel.Limits.MaxRequestHeadersTotalSize = 128 * 1024;
            kestrel.Listen(IPAddress.Loopback, port, listen => listen.Protocols = HttpProtocols.Http1);
        });
        var application = builder.Build();
        application.Run(context => HandleAsync(pipeline, context));
        await application.StartAsync(cancellation);
        var address = application.Services.GetRequiredService<IServer>().Features
            .GetRequiredFeature<IServerAddressesFeature>().Addresses.Single();
        return new Listener(application, new Uri(address));
    }

    public ValueTask DisposeAsync() => application.DisposeAsync();

    static async Task HandleAsync(Pipeline pipeline, HttpContext context)
    {
        if (await ReadAsync(context.Request.Body, context.RequestAborted) is not { } body)
        {
            context.Response.StatusCode = StatusCodes.Status413PayloadTooLarge;
            return;
        }

        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var end = target.IndexOf('?', StringComparison.Ordinal);
        var reply = await pipeline.HandleAsync(
            new ServerRequest(
                context.Request.Method, end < 0 ? target : target[..end],
                name => context.Request.Headers.TryGetValue(name, out var value) ? value.ToString() : null,
                body, new Uri($"http://{context.Request.Host}/")),
            context.RequestAborted);
        if (reply is null)
        {
            context.Abort();
            return;
        }

        await WriteAsync(reply, context);
    }

    /// <summary>The whole body, or null when there is more of it than any request needs.</summary>
    static async Task<ReadOnlyMemory<byte>?> ReadAsync(Stream body, CancellationToken cancellation)
    {
        var read = new ArrayBufferWriter<byte>();
        while (await body.ReadAsync(read.GetMemory(), cancellation) is var count and > 0)
        {
            read.Advance(count);
            if (read.WrittenCount > CosmosLimits.RequestBytesMax)
            {
                return null;
            }
        }

        return read.WrittenMemory;
    }

    static async Task WriteAsync(Reply reply, HttpContext context)
    {
        context.Response.StatusCode = reply.Status;
        foreach (var (name, value) in reply.Headers)
        {
            context.Response.Headers[name] = value;
        }

        if (reply.Status is not (204 or 304))
        {
            context.Response.ContentType = "application/json";
            context.Response.ContentLength = reply.Body.Length;
            await context.Response.Body.WriteAsync(reply.Body, context.RequestAborted);
        }
    }
}
