using System.Reflection;
using Xunit.Sdk;

namespace Runtime.DurableTask.Tests;

/// <summary>Every behaviour holds on each of these.</summary>
public enum Storage
{
    /// <summary>In memory, with the running code kept between turns.</summary>
    Memory,

    /// <summary>In memory, with nothing kept: every turn replays the history.</summary>
    Replayed,

    /// <summary>In a SQLite file, with nothing kept.</summary>
    Sqlite,
}

[AttributeUsage(AttributeTargets.Method)]
public sealed class EveryStorageAttribute : DataAttribute
{
    public override IEnumerable<object[]> GetData(MethodInfo testMethod) =>
        Enum.GetValues<Storage>().Select(storage => new object[] { storage });
}
