using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;
using Microsoft.Extensions.DependencyInjection;

namespace Runtime.Worker.Tests;

public sealed class PostTriggerAttribute(string box) : TriggerBindingAttribute
{
    public string Box { get; } = box;
}

public sealed class PostOutputAttribute(string box) : OutputBindingAttribute
{
    public string Box { get; } = box;
}

public sealed class PostFunctions(Probe probe)
{
    [Function("Forward")]
    [PostOutput("second")]
    public string? Forward([PostTrigger("%First%")] string letter, int length, FunctionContext context)
    {
        probe.Write($"forward {letter} {length} {context.FunctionDefinition.OutputBindings["$return"].Type}");
        return letter == "lost" ? null : $"fw: {letter}";
    }

    [Function("Read")]
    [FixedDelayRetry(1, "00:00:00")]
    public void Read([PostTrigger("second")] string letter, FunctionContext context)
    {
        probe.Write($"read {letter} {context.RetryContext.RetryCount}");
        if (context.RetryContext.RetryCount == 0)
        {
            throw new InvalidOperationException("once more");
        }
    }

    [Function("Post")]
    public static Posted Post([HttpTrigger(AuthorizationLevel.Anonymous, "post")] HttpRequest request) =>
        new(TypedResults.Accepted("/later"), "from http");

    public sealed class Posted(IResult answer, string letter)
    {
        [HttpResult]
        public IResult Answer => answer;

        [PostOutput("second")]
        public string Letter => letter;
    }
}

/// <summary>Letter boxes in memory: a trigger and an output of a kind that the host does not know by itself.</summary>
sealed class PostOffice : ITriggerKind, IOutputKind
{
    readonly Dictionary<string, Channel<string>> boxes = new()
    {
        ["first"] = Channel.CreateUnbounded<string>(),
        ["second"] = Channel.CreateUnbounded<string>(),
    };

    public string? Section { get; private set; }

    Type ITriggerKind.Attribute => typeof(PostTriggerAttribute);

    Type IOutputKind.Attribute => typeof(PostOutputAttribute);

    public bool HonoursRetry => true;

    public string? HostJsonSection => "post";

    public void Deliver(string box, string letter) => Assert.True(boxes[box].Writer.TryWrite(letter));

    public ITriggerSource Attach(TriggeredFunction function, TriggerServices host)
    {
        Section = host.HostJson?.GetProperty("office").GetString();
        function.Bind(function.Parameter, static (_, payload) => new(payload));
        foreach (var parameter in function.Unbound.Where(parameter => parameter.Name == "length").ToList())
        {
            function.Bind(parameter, static (_, payload) => new(((string)payload!).Length));
        }

        var box = host.Settings.Expand(((PostTriggerAttribute)function.Trigger).Box);
        return new Postman(function, box, boxes[box].Reader);
    }

    public OutputSender Attach(OutputBindingAttribute output, TriggeredFunction function, TriggerServices host)
    {
        var box = boxes[((PostOutputAttribute)output).Box].Writer;
        return async (value, context) => await box.WriteAsync((string)value, context.CancellationToken);
    }

    sealed class Postman(TriggeredFunction function, string box, ChannelReader<string> letters)
        : ITriggerSource, IDisposable
    {
        readonly CancellationTokenSource stopping = new();
        Task round = Task.CompletedTask;

        public string Description => box;

        public Task StartAsync(CancellationToken cancellation)
        {
            round = WalkAsync();
            return Task.CompletedTask;
        }

        public async Task StopAsync(CancellationToken cancellation)
        {
            await stopping.CancelAsync();
            await round;
        }

        public void Dispose() => stopping.Dispose();

        async Task WalkAsync()
        {
            try
            {
                while (true)
                {
                    await function.InvokeAsync(new(await letters.ReadAsync(stopping.Token)), stopping.Token);
                }
            }
            catch (OperationCanceledException)
            {
                // The end of the day.
            }
        }
    }
}

public sealed class SeamTests
{
    [Fact]
    public async Task Kinds_of_triggers_and_outputs_can_be_added()
    {
        var (probe, office) = (new Probe(), new PostOffice());
        await using var host = await FunctionsHost.StartAsync((TestHost.Options(typeof(PostFunctions)) with
        {
            Triggers = [office],
            Outputs = [office],
            Configure = builder => builder.ConfigureFunctionsWebApplication().Services.AddSingleton(probe),
        }).With(("First", "first")).WithHostJson("""
            { "version": "2.0", "extensions": { "post": { "office": "central" } } }
            """));
        using var client = host.Client();

        office.Deliver("first", "lost");
        office.Deliver("first", "hello");
        await probe.Until(diary => diary.Contains("read fw: hello 1"));
        using var answer = await client.PostAsync(new Uri("/api/Post", UriKind.Relative), null);
        await probe.Until(diary => diary.Contains("read from http 1"));

        Assert.Equal(202, (int)answer.StatusCode);
        Assert.Equal("central", office.Section);
        Assert.Equal(
            [
                "forward lost 4 post", "forward hello 5 post", "read fw: hello 0", "read fw: hello 1",
                "read from http 0", "read from http 1",
            ],
            probe.Diary);
        Assert.Contains(host.Functions, function => function.ToString() == "Forward: [postTrigger] first");
    }

    [Fact]
    public async Task An_output_of_an_unknown_kind_is_refused()
    {
        var message = await TestHost.RefusalAsync((TestHost.Options(typeof(PostFunctions)) with
        {
            Triggers = [new PostOffice()],
            Configure = builder => builder.ConfigureFunctionsWebApplication().Services.AddSingleton(new Probe()),
        }).With(("First", "first")));

        Assert.Contains("Function 'Forward'", message, StringComparison.Ordinal);
        Assert.Contains("Function 'Post'", message, StringComparison.Ordinal);
        Assert.Contains("[PostOutputAttribute] is not offered", message, StringComparison.Ordinal);
    }
}
