using System.Collections.Immutable;
using System.Reflection;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace Runtime.Worker;

/// <summary>The metadata of a function, as middleware sees it in the real worker.</summary>
sealed class Definition : FunctionDefinition
{
    public const string Returned = "$return";

    public Definition(FunctionMethod function)
    {
        Name = function.Name;
        EntryPoint = function.EntryPoint;
        TriggerKind = KindOf(function.Trigger);
        PathToAssembly = function.Method.DeclaringType!.Assembly.Location;
        Parameters = [.. function.Method.GetParameters().Select(p => p.HasDefaultValue
            ? new FunctionParameter(p.Name!, p.ParameterType, hasDefaultValue: true, p.DefaultValue)
            : new FunctionParameter(p.Name!, p.ParameterType))];
        InputBindings = function.Method.GetParameters()
            .Where(p => p.IsDefined(typeof(BindingAttribute)))
            .Select(p => Bound(p.Name!, p.GetCustomAttribute<BindingAttribute>()!, BindingDirection.In))
            .ToImmutableDictionary(binding => binding.Name, BindingMetadata (binding) => binding);
        OutputBindings = Outputs(function).ToImmutableDictionary(binding => binding.Name);
    }

    /// <summary>The trigger as function.json names it, such as "httpTrigger".</summary>
    public string TriggerKind { get; }

    public override string Id => Name;

    public override string Name { get; }

    public override string EntryPoint { get; }

    public override string PathToAssembly { get; }

    public override ImmutableArray<FunctionParameter> Parameters { get; }

    public override IImmutableDictionary<string, BindingMetadata> InputBindings { get; }

    public override IImmutableDictionary<string, BindingMetadata> OutputBindings { get; }

    static Metadata Bound(string name, BindingAttribute binding, BindingDirection direction) =>
        new Metadata(name, KindOf(binding), direction);

    static IEnumerable<BindingMetadata> Outputs(FunctionMethod function)
    {
        var properties = CompiledFunction.OutputProperties(function.Method).ToList();
        foreach (var property in properties)
        {
            var binding = property.GetCustomAttribute<OutputBindingAttribute>()!;
            yield return Bound(property.Name, binding, BindingDirection.Out);
        }

        if (function.Method.GetCustomAttribute<OutputBindingAttribute>() is { } returned)
        {
            yield return Bound(Returned, returned, BindingDirection.Out);
        }
        else if (function.Trigger is HttpTriggerAttribute && properties.Count == 0)
        {
            yield return new Metadata(Returned, "http", BindingDirection.Out);
        }
    }

    // "httpTrigger", "durableClient", "http", "serviceBus": the names that function.json has always used.
    static string KindOf(BindingAttribute binding)
    {
        var name = binding.GetType().Name[..^nameof(Attribute).Length];
        foreach (var ending in (string[])["Output", "Input", "Result"])
        {
            name = name.EndsWith(ending, StringComparison.Ordinal) ? name[..^ending.Length] : name;
        }

        return char.ToLowerInvariant(name[0]) + name[1..];
    }

    sealed class Metadata(string name, string type, BindingDirection direction) : BindingMetadata
    {
        public override string Name => name;

        public override string Type => type;

        public override BindingDirection Direction => direction;
    }
}
