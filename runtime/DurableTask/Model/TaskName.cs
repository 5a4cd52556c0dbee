namespace Microsoft.DurableTask;

/// <summary>The name under which a task is registered and called; letter case makes no difference.</summary>
public readonly struct TaskName : IEquatable<TaskName>
{
    public TaskName(string name) => Name = name;

    public string Name { get; }

    public static implicit operator TaskName(string value) => string.IsNullOrEmpty(value) ? default : new(value);

    public static implicit operator string(TaskName value) => value.Name;

    public static bool operator ==(TaskName a, TaskName b) => a.Equals(b);

    public static bool operator !=(TaskName a, TaskName b) => !a.Equals(b);

    public bool Equals(TaskName other) => string.Equals(Name, other.Name, StringComparison.OrdinalIgnoreCase);

    public override bool Equals(object? obj) => obj is TaskName other && Equals(other);

    public override int GetHashCode() => Name is null ? 0 : StringComparer.OrdinalIgnoreCase.GetHashCode(Name);

    public override string ToString() => Name;
}

/// <summary>The version of a task; the default value means unversioned, and letter case makes no difference.</summary>
public readonly struct TaskVersion : IEquatable<TaskVersion>
{
    public static readonly TaskVersion Unversioned;

    readonly string? _version;

    public TaskVersion(string? version)
    {
        if (!string.IsNullOrEmpty(version) && string.IsNullOrWhiteSpace(version))
        {
            throw new ArgumentException("A version must not be blank; use TaskVersion.Unversioned.", nameof(version));
        }

        _version = version;
    }

    public string Version => _version ?? "";

    public static implicit operator TaskVersion(string? value) => new(value);

    public static implicit operator string(TaskVersion value) => value.Version;

    public static bool operator ==(TaskVersion a, TaskVersion b) => a.Equals(b);

    public static bool operator !=(TaskVersion a, TaskVersion b) => !a.Equals(b);

    public bool Equals(TaskVersion other) =>
        string.Equals(Version, other.Version, StringComparison.OrdinalIgnoreCase);

    public override bool Equals(object? obj) => obj is TaskVersion other && Equals(other);

    public override int GetHashCode() => StringComparer.OrdinalIgnoreCase.GetHashCode(Version);
}

/// <summary>Names the task that a class implements, and the version of it.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class DurableTaskAttribute(string? name = null) : Attribute
{
    public TaskName Name { get; } = name!;

    public string? Version { get; set; }
}

/// <summary>Who called this orchestration as a child.</summary>
public record ParentOrchestrationInstance(TaskName Name, string InstanceId);
