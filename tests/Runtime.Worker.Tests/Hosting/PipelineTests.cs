using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Azure.Functions.Worker.Http;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Runtime.Worker.Tests;

public sealed class PipelineFunctions(Probe probe, Scoped scoped, Shared shared, Each each)
{
    [Function("Services")]
    public IResult Services([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request, FunctionContext context)
    {
        probe.Write($"function {request.HttpContext.RequestServices == context.InstanceServices}");
        return TypedResults.Ok(new Lifetimes(
            scoped.Id, context.InstanceServices.GetRequiredService<Scoped>().Id, shared.Id, each.Id));
    }

    [Function("Throws")]
    public static Task<IResult> Throws([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request) =>
        throw new InvalidOperationException("the secret of the house");

    [Function("ThrowsLate")]
    public static async Task ThrowsLate([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request)
    {
        await request.HttpContext.Response.WriteAsync("half");
        await request.HttpContext.Response.Body.FlushAsync();
        throw new InvalidOperationException("too late to say so");
    }

    [Function("BadInput")]
    public static IResult BadInput(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "numbers/{number}")] HttpRequest request,
        int number) => TypedResults.Ok(number);

    [Function("Described")]
    public static IResult Described(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "described/{what}")] HttpRequest request,
        string what, FunctionContext context) => TypedResults.Text(string.Join(' ',
            context.FunctionDefinition.Name, context.FunctionId, context.FunctionDefinition.EntryPoint,
            context.FunctionDefinition.Parameters.Length, context.FunctionDefinition.InputBindings["request"].Type,
            context.FunctionDefinition.OutputBindings["$return"].Type, context.BindingContext.BindingData["what"],
            context.RetryContext.RetryCount, Guid.TryParse(context.InvocationId, out _)));
}

public sealed record Lifetimes(Guid Constructor, Guid Context, Guid Shared, Guid Each);

public sealed class Scoped(Probe probe) : IDisposable
{
    public Guid Id { get; } = Guid.NewGuid();

    public void Dispose() => probe.Write("scope closed");
}

public sealed class Shared
{
    public Guid Id { get; } = Guid.NewGuid();
}

public sealed class Each
{
    public Guid Id { get; } = Guid.NewGuid();
}

public sealed class Outer(Probe probe) : IFunctionsWorkerMiddleware
{
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        probe.Write($"outer in {context.GetHttpContext() is not null}");
        try
        {
            await next(context);
            probe.Write("outer out");
        }
        catch (FunctionInputConverterException e) when (context.GetHttpContext() is { } http)
        {
            http.Response.StatusCode = 400;
            await http.Response.WriteAsync(e.Message);
        }
    }
}

public sealed class PipelineTests
{
    readonly Probe probe = new();
    readonly TestLog log = new();

    [Fact]
    public async Task Middleware_wraps_the_function_in_the_order_it_was_added()
    {
        await using var host = await StartAsync(builder =>
        {
            builder.UseMiddleware((context, next) =>
            {
                probe.Write($"before http {context.GetHttpContext() is not null}");
                return next();
            });
            builder.ConfigureFunctionsWebApplication();
            builder.UseMiddleware<Outer>();
            builder.UseWhen(
                context => context.FunctionDefinition.Name == "Services",
                async (context, next) =>
                {
                    probe.Write("inner in");
                    await next();
                    probe.Write($"inner out {context.GetInvocationResult().Value is IResult}");
                });
            builder.UseWhen<Outer>(context => context.FunctionDefinition.Name == "Another");
        });
        using var client = host.Client();

        await client.GetStringAsync(new Uri("/api/Services", UriKind.Relative));

        await probe.Until(diary => diary.Contains("scope closed"));
        Assert.Equal(
            [
                "before http False", "outer in True", "inner in", "function True", "inner out True", "outer out",
                "scope closed",
            ],
            probe.Diary);
    }

    [Fact]
    public async Task Middleware_may_replace_the_result_and_answer_for_bad_input()
    {
        await using var host = await StartAsync(builder =>
        {
            builder.ConfigureFunctionsWebApplication();
            builder.UseMiddleware<Outer>();
            builder.UseWhen(
                context => context.FunctionDefinition.Name == "Services",
                async (context, next) =>
                {
                    await next();
                    context.GetInvocationResult<IResult>().Value = TypedResults.StatusCode(299);
                });
        });
        using var client = host.Client();

        using var replaced = await client.GetAsync(new Uri("/api/Services", UriKind.Relative));
        using var bad = await client.GetAsync(new Uri("/api/numbers/seven", UriKind.Relative));

        Assert.Equal(299, (int)replaced.StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, bad.StatusCode);
        Assert.Equal("The address has 'seven' for 'number', which is no Int32.", await bad.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Every_invocation_has_its_own_scope()
    {
        await using var host = await StartAsync(builder => builder.ConfigureFunctionsWebApplication());
        using var client = host.Client();

        var first = await client.GetFromJsonAsync<Lifetimes>("/api/Services");
        var second = await client.GetFromJsonAsync<Lifetimes>("/api/Services");

        Assert.Equal(first!.Constructor, first.Context);
        Assert.NotEqual(first.Constructor, second!.Constructor);
        Assert.Equal(first.Shared, second.Shared);
        Assert.NotEqual(first.Each, second.Each);
        await probe.Until(diary => diary.Count(line => line == "scope closed") == 2);
    }

    [Fact]
    public async Task A_failing_function_answers_with_its_invocation_and_nothing_else()
    {
        await using var host = await StartAsync(builder => builder.ConfigureFunctionsWebApplication());
        using var client = host.Client();

        using var failed = await client.GetAsync(new Uri("/api/Throws", UriKind.Relative));
        var text = await failed.Content.ReadAsStringAsync();
        var id = JsonDocument.Parse(text).RootElement.GetProperty("invocationId").GetString()!;

        Assert.Equal(HttpStatusCode.InternalServerError, failed.StatusCode);
        Assert.Equal("application/problem+json", failed.Content.Headers.ContentType!.MediaType);
        Assert.DoesNotContain("secret", text, StringComparison.Ordinal);
        Assert.DoesNotContain(nameof(InvalidOperationException), text, StringComparison.Ordinal);

        var line = Assert.Single(log.Lines, line => line.Level is LogLevel.Error);
        Assert.Equal("Function.Throws", line.Category);
        Assert.Contains("'Throws'", line.Text, StringComparison.Ordinal);
        Assert.Contains(id, line.Text, StringComparison.Ordinal);
        Assert.Equal("the secret of the house", line.Exception!.Message);

        // And the host goes on.
        using var next = await client.GetAsync(new Uri("/api/numbers/7", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, next.StatusCode);
    }

    [Fact]
    public async Task Half_an_answer_is_never_taken_for_a_whole_one()
    {
        await using var host = await StartAsync(builder => builder.ConfigureFunctionsWebApplication());
        using var client = host.Client();

        await Assert.ThrowsAsync<HttpRequestException>(
            () => client.GetStringAsync(new Uri("/api/ThrowsLate", UriKind.Relative)));
    }

    [Fact]
    public async Task A_function_knows_what_it_is_and_what_called_it()
    {
        await using var host = await StartAsync(builder => builder.ConfigureFunctionsWebApplication());
        using var client = host.Client();

        Assert.Equal(
            "Described Described Runtime.Worker.Tests.PipelineFunctions.Described 3 httpTrigger http this 0 True",
            await client.GetStringAsync(new Uri("/api/described/this", UriKind.Relative)));
    }

    Task<FunctionsHost> StartAsync(Action<FunctionsApplicationBuilder> configure) => FunctionsHost.StartAsync(
        (TestHost.Options(typeof(PipelineFunctions)) with
        {
            Configure = builder =>
            {
                builder.Services.AddScoped<Scoped>().AddSingleton<Shared>().AddTransient<Each>();
                configure(builder);
            },
            Replace = services => services.AddSingleton(probe),
        }).WithLog(log));
}
