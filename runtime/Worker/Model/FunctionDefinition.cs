using System.Collections.Immutable;

namespace Microsoft.Azure.Functions.Worker;

/// <summary>What a function is: its name, where its code lives, and what it is bound to.</summary>
public abstract class FunctionDefinition
{
    public abstract ImmutableArray<FunctionParameter> Parameters { get; }

    public abstract string PathToAssembly { get; }

    public abstract string EntryPoint { get; }

    public abstract string Id { get; }

    public abstract string Name { get; }

    public abstract IImmutableDictionary<string, BindingMetadata> InputBindings { get; }

    public abstract IImmutableDictionary<string, BindingMetadata> OutputBindings { get; }
}

/// <summary>One parameter of a function's method.</summary>
public class FunctionParameter
{
    public FunctionParameter(string name, Type type)
        : this(name, type, ImmutableDictionary<string, object>.Empty) { }

    public FunctionParameter(string name, Type type, IReadOnlyDictionary<string, object> properties)
        : this(name, type, hasDefaultValue: false, defaultValue: null, properties) { }

    public FunctionParameter(string name, Type type, bool hasDefaultValue, object? defaultValue)
        : this(name, type, hasDefaultValue, defaultValue, ImmutableDictionary<string, object>.Empty) { }

    public FunctionParameter(
        string name, Type type, bool hasDefaultValue, object? defaultValue,
        IReadOnlyDictionary<string, object> properties)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(type);
        ArgumentNullException.ThrowIfNull(properties);
        (Name, Type, HasDefaultValue, DefaultValue, Properties) =
            (name, type, hasDefaultValue, defaultValue, properties);
        IsReferenceOrNullableType = !type.IsValueType || Nullable.GetUnderlyingType(type) is not null;
    }

    public string Name { get; }

    public Type Type { get; }

    public bool HasDefaultValue { get; }

    public bool IsReferenceOrNullableType { get; }

    public object? DefaultValue { get; }

    public IReadOnlyDictionary<string, object> Properties { get; }
}

/// <summary>One binding of a function as its metadata tells it.</summary>
public abstract class BindingMetadata
{
    public abstract string Name { get; }

    public abstract string Type { get; }

    public abstract BindingDirection Direction { get; }
}

/// <summary>Whether a binding brings something in or carries it out.</summary>
public enum BindingDirection
{
    In,
    Out,
}
