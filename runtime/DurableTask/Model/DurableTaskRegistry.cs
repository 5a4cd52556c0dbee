using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace Microsoft.DurableTask;

/// <summary>The orchestrators and activities of an application, by name and version.</summary>
public sealed partial class DurableTaskRegistry
{
    readonly TaskTable<ITaskActivity> _activities = new("activity");
    readonly TaskTable<ITaskOrchestrator> _orchestrators = new("orchestrator");

    public IEnumerable<KeyValuePair<TaskName, Func<IServiceProvider, ITaskActivity>>> GetActivities() =>
        _activities.All();

    public IEnumerable<KeyValuePair<TaskName, Func<IServiceProvider, ITaskOrchestrator>>> GetOrchestrators() =>
        _orchestrators.All();

    internal bool TryGetActivity(
        string name, string version, [NotNullWhen(true)] out Func<IServiceProvider, ITaskActivity>? factory) =>
        _activities.TryGet(name, version, out factory);

    internal bool TryGetOrchestrator(
        string name, string version, [NotNullWhen(true)] out Func<IServiceProvider, ITaskOrchestrator>? factory) =>
        _orchestrators.TryGet(name, version, out factory);

    static TaskName NameOf(Type type) =>
        type.GetCustomAttribute<DurableTaskAttribute>() is { Name.Name.Length: > 0 } task
            ? task.Name
            : new TaskName(type.Name);

    static TaskVersion VersionOf(Type type) => new(type.GetCustomAttribute<DurableTaskAttribute>()?.Version);

    static void RefuseUnless<TTask>(Type type)
    {
        ArgumentNullException.ThrowIfNull(type);
        if (type.IsAbstract || !typeof(TTask).IsAssignableFrom(type))
        {
            throw new ArgumentException($"{type} is not a concrete {typeof(TTask).Name}.", nameof(type));
        }
    }

    sealed class TaskTable<TTask>(string kind)
    {
        readonly Dictionary<TaskName, Dictionary<TaskVersion, Func<IServiceProvider, TTask>>> _tasks = [];

        internal void Add(TaskName name, TaskVersion version, Func<IServiceProvider, TTask> factory)
        {
            ArgumentNullException.ThrowIfNull(factory);
            if (string.IsNullOrWhiteSpace(name.Name))
            {
                throw new ArgumentException($"An {kind} needs a name.", nameof(name));
            }

            if (!_tasks.TryGetValue(name, out var versions))
            {
                _tasks.Add(name, versions = []);
            }

            if (!versions.TryAdd(version, factory))
            {
                throw new ArgumentException(
                    version == default
                        ? $"There is already an {kind} named '{name}'."
                        : $"There is already an {kind} named '{name}' of version '{version.Version}'.",
                    nameof(name));
            }
        }

        internal IEnumerable<KeyValuePair<TaskName, Func<IServiceProvider, TTask>>> All() =>
            _tasks.SelectMany(task => task.Value.Values.Select(factory => KeyValuePair.Create(task.Key, factory)));

        // The unversioned task serves every version, unless the name has versions: then an unknown one is refused
        // rather than handed to code that was not meant for it.
        internal bool TryGet(
            string name, string version, [NotNullWhen(true)] out Func<IServiceProvider, TTask>? factory)
        {
            factory = null;
            return _tasks.TryGetValue(new TaskName(name), out var versions)
                && (versions.TryGetValue(new TaskVersion(version), out factory)
                    || (versions.Count == 1 && versions.TryGetValue(default, out factory)));
        }
    }
}
