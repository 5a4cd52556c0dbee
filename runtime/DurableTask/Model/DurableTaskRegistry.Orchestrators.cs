using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.DurableTask;

public sealed partial class DurableTaskRegistry
{
    public DurableTaskRegistry AddOrchestrator(TaskName name, Func<ITaskOrchestrator> factory) =>
        AddOrchestrator(name, default, factory);

    public DurableTaskRegistry AddOrchestrator(TaskName name, TaskVersion version, Func<ITaskOrchestrator> factory)
    {
        ArgumentNullException.ThrowIfNull(factory);
        _orchestrators.Add(name, version, _ => factory());
        return this;
    }

    public DurableTaskRegistry AddOrchestrator(TaskName name, Type type)
    {
        RefuseUnless<ITaskOrchestrator>(type);
        _orchestrators.Add(
            name,
            VersionOf(type),
            services => (ITaskOrchestrator)ActivatorUtilities.GetServiceOrCreateInstance(services, type));
        return this;
    }

    public DurableTaskRegistry AddOrchestrator(Type type)
    {
        RefuseUnless<ITaskOrchestrator>(type);
        return AddOrchestrator(NameOf(type), type);
    }

    public DurableTaskRegistry AddOrchestrator<TOrchestrator>(
        TaskName name) where TOrchestrator : class, ITaskOrchestrator =>
        AddOrchestrator(name, typeof(TOrchestrator));

    public DurableTaskRegistry AddOrchestrator<TOrchestrator>() where TOrchestrator : class, ITaskOrchestrator =>
        AddOrchestrator(typeof(TOrchestrator));

    public DurableTaskRegistry AddOrchestrator(TaskName name, ITaskOrchestrator orchestrator)
    {
        ArgumentNullException.ThrowIfNull(orchestrator);
        return AddOrchestrator(name, VersionOf(orchestrator.GetType()), () => orchestrator);
    }

    public DurableTaskRegistry AddOrchestrator(ITaskOrchestrator orchestrator)
    {
        ArgumentNullException.ThrowIfNull(orchestrator);
        return AddOrchestrator(NameOf(orchestrator.GetType()), orchestrator);
    }

    public DurableTaskRegistry AddOrchestratorFunc<TInput, TOutput>(
        TaskName name, Func<TaskOrchestrationContext, TInput, Task<TOutput>> orchestrator) =>
        AddOrchestratorFunc(name, default, orchestrator);

    public DurableTaskRegistry AddOrchestratorFunc<TInput, TOutput>(
        TaskName name, TaskVersion version, Func<TaskOrchestrationContext, TInput, Task<TOutput>> orchestrator)
    {
        var task = FuncTaskOrchestrator.Create(orchestrator);
        return AddOrchestrator(name, version, () => task);
    }

    public DurableTaskRegistry AddOrchestratorFunc<TInput, TOutput>(
        TaskName name, Func<TaskOrchestrationContext, TInput, TOutput> orchestrator)
    {
        ArgumentNullException.ThrowIfNull(orchestrator);
        return AddOrchestratorFunc<TInput, TOutput>(
            name, (context, input) => Task.FromResult(orchestrator(context, input)));
    }

    public DurableTaskRegistry AddOrchestratorFunc<TInput>(
        TaskName name, Func<TaskOrchestrationContext, TInput, Task> orchestrator)
    {
        ArgumentNullException.ThrowIfNull(orchestrator);
        return AddOrchestratorFunc<TInput, object?>(name, async (context, input) =>
        {
            await orchestrator(context, input);
            return null;
        });
    }

    public DurableTaskRegistry AddOrchestratorFunc<TOutput>(
        TaskName name, Func<TaskOrchestrationContext, Task<TOutput>> orchestrator)
    {
        ArgumentNullException.ThrowIfNull(orchestrator);
        return AddOrchestratorFunc<object?, TOutput>(name, (context, _) => orchestrator(context));
    }

    public DurableTaskRegistry AddOrchestratorFunc(TaskName name, Func<TaskOrchestrationContext, Task> orchestrator)
    {
        ArgumentNullException.ThrowIfNull(orchestrator);
        return AddOrchestratorFunc<object?>(name, (context, _) => orchestrator(context));
    }

    public DurableTaskRegistry AddOrchestratorFunc<TOutput>(
        TaskName name, Func<TaskOrchestrationContext, TOutput> orchestrator)
    {
        ArgumentNullException.ThrowIfNull(orchestrator);
        return AddOrchestratorFunc<object?, TOutput>(name, (context, _) => Task.FromResult(orchestrator(context)));
    }

    public DurableTaskRegistry AddOrchestratorFunc<TInput>(
        TaskName name, Action<TaskOrchestrationContext, TInput> orchestrator)
    {
        ArgumentNullException.ThrowIfNull(orchestrator);
        return AddOrchestratorFunc<TInput, object?>(name, (context, input) =>
        {
            orchestrator(context, input);
            return Task.FromResult<object?>(null);
        });
    }

    public DurableTaskRegistry AddOrchestratorFunc(TaskName name, Action<TaskOrchestrationContext> orchestrator)
    {
        ArgumentNullException.ThrowIfNull(orchestrator);
        return AddOrchestratorFunc<object?>(name, (context, _) => orchestrator(context));
    }
}
