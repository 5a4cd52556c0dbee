using System.Threading.Channels;
using Microsoft.DurableTask;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Runtime.DurableTask;

/// <summary>
/// Runs activities, so many at a time. A call is stored as open until the turn that takes its answer is committed: if
/// this process dies in between, it runs again.
/// </summary>
sealed class ActivityRunner(TaskHub hub)
{
    readonly Channel<Call> _calls = Channel.CreateUnbounded<Call>();
    long _count;
    volatile bool _stopped;

    /// <summary>Activities run so far.</summary>
    internal long Count => Interlocked.Read(ref _count);

    internal void Add(string instanceId, string executionId, HistoryEntry.ActivityCalled call)
    {
        hub.Enter();
        if (!_calls.Writer.TryWrite(new Call(instanceId, executionId, call)))
        {
            hub.Exit();
        }
    }

    /// <summary>Works until stopped; what is still queued then runs after the next start.</summary>
    internal async Task WorkAsync()
    {
        await foreach (var call in _calls.Reader.ReadAllAsync())
        {
            if (!_stopped)
            {
                var answer = await RunAsync(call);
                hub.Post(new Message(0, call.InstanceId, call.ExecutionId, answer));
            }

            hub.Exit();
        }
    }

    internal void Stop()
    {
        _stopped = true;
        _calls.Writer.TryComplete();
    }

    async Task<HistoryEntry> RunAsync(Call call)
    {
        Interlocked.Increment(ref _count);
        var (name, version) = (call.Called.Name, call.Called.Version);
        try
        {
            if (!hub.Registry.TryGetActivity(name, version, out var factory))
            {
                var which = version.Length > 0 ? $" of version '{version}'" : "";
                return Failed(call, new Failure(
                    Failure.MissingActivity, $"There is no activity named '{name}'{which}."));
            }

            // Each activity has services of its own, as a request has.
            await using var scope = hub.Services.CreateAsyncScope();
            var activity = factory(scope.ServiceProvider);
            var input = Read(call.Called.Input, activity.InputType);
            var output = await activity.RunAsync(new Context(call), input);
            var result = hub.Options.DataConverter.Serialize(output);
            return new HistoryEntry.ActivityCompleted(
                call.Called.Task, hub.Limits.Payload(result, $"result of activity '{name}'"));
        }
        catch (Exception exception)
        {
            hub.Log.LogInformation(
                exception, "Activity {Activity} of instance {Instance} failed", name, call.InstanceId);
            return Failed(call, Failure.Of(exception));
        }
    }

    static HistoryEntry.ActivityFailed Failed(Call call, Failure failure) => new(call.Called.Task, failure);

    // No input is no value: for a type that has none, that is an error of the caller.
    object? Read(string? input, Type type)
    {
        var needsValue = type.IsValueType && Nullable.GetUnderlyingType(type) is null;
        return hub.Options.DataConverter.Deserialize(input is null && needsValue ? "null" : input, type);
    }

    sealed record Call(string InstanceId, string ExecutionId, HistoryEntry.ActivityCalled Called);

    sealed class Context(Call call) : TaskActivityContext
    {
        public override TaskName Name => call.Called.Name;

        public override string InstanceId => call.InstanceId;

        public override string Version => call.Called.Version;
    }
}
