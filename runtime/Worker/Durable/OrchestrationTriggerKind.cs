using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace Runtime.Worker;

/// <summary>Orchestrator functions: registered with the engine, run by it.</summary>
sealed class OrchestrationTriggerKind(DurableHost durable) : ITriggerKind
{
    public Type Attribute => typeof(OrchestrationTriggerAttribute);

    public bool HonoursRetry => false;

    public string? HostJsonSection => DurableHost.Section;

    public ITriggerSource Attach(TriggeredFunction function, TriggerServices host)
    {
        if (function.Parameter.ParameterType != typeof(TaskOrchestrationContext))
        {
            throw function.Refusal("an orchestrator is given a TaskOrchestrationContext.", function.Parameter);
        }

        function.Bind(function.Parameter, static (_, payload) => new(((Turn)payload!).Context));
        var input = typeof(object);
        if (function.Unbound is [var parameter, ..])
        {
            input = parameter.ParameterType;
            function.Bind(parameter, DurableHost.Input(parameter, payload => ((Turn)payload!).Input));
        }

        var name = ((OrchestrationTriggerAttribute)function.Trigger).Orchestration ?? function.Name;
        return DurableSource.Register(
            function, name, () => durable.Registry.AddOrchestrator(name, new Orchestrator(function, input, durable)));
    }

    sealed record Turn(TaskOrchestrationContext Context, object? Input);

    sealed class Orchestrator(TriggeredFunction function, Type input, DurableHost durable) : ITaskOrchestrator
    {
        public Type InputType => input;

        public Type OutputType => typeof(object);

        public Task<object?> RunAsync(TaskOrchestrationContext context, object? input) =>
            function.OrchestrateAsync(new(new Turn(context, input)), durable.Aborting);
    }
}
