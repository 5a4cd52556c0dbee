using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace Runtime.Worker;

/// <summary>Activity functions: registered with the engine, run at least once for each call.</summary>
sealed class ActivityTriggerKind(DurableHost durable) : ITriggerKind
{
    const string InstanceId = "instanceId";

    public Type Attribute => typeof(ActivityTriggerAttribute);

    // Retries of an activity are the orchestrator's business: they must be in its history.
    public bool HonoursRetry => false;

    public string? HostJsonSection => DurableHost.Section;

    public ITriggerSource Attach(TriggeredFunction function, TriggerServices host)
    {
        var input = function.Parameter.ParameterType;
        if (input == typeof(FunctionContext))
        {
            // An activity without input marks its context; whatever the caller sends is not looked at.
            input = typeof(object);
            function.Bind(function.Parameter, static (context, _) => new(context));
        }
        else
        {
            function.Bind(function.Parameter, DurableHost.Input(function.Parameter, payload => ((Call)payload!).Input));
        }

        foreach (var parameter in function.Unbound.ToList())
        {
            if (parameter.Name != InstanceId || parameter.ParameterType != typeof(string))
            {
                throw function.Refusal(
                    "an activity has one input; besides it only FunctionContext, CancellationToken and " +
                    "string instanceId are filled.", parameter);
            }

            function.Bind(parameter, static (_, payload) => new(((Call)payload!).Context.InstanceId));
        }

        var name = ((ActivityTriggerAttribute)function.Trigger).Activity ?? function.Name;
        return DurableSource.Register(
            function, name, () => durable.Registry.AddActivity(name, new Activity(function, input, durable)));
    }

    sealed record Call(TaskActivityContext Context, object? Input);

    sealed class Activity(TriggeredFunction function, Type input, DurableHost durable) : ITaskActivity
    {
        public Type InputType => input;

        public Type OutputType => typeof(object);

        public Task<object?> RunAsync(TaskActivityContext context, object? input) => function.InvokeAsync(
            new(new Call(context, input))
            {
                BindingData = new Dictionary<string, object?> { [InstanceId] = context.InstanceId },
            },
            durable.Aborting);
    }
}
