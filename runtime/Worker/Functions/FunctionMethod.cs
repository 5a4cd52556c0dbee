using System.Reflection;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace Runtime.Worker;

/// <summary>A method with a function's name and exactly one trigger.</summary>
sealed record FunctionMethod(
    string Name, MethodInfo Method, TriggerBindingAttribute Trigger, ParameterInfo Parameter, RetryAttribute? Retry)
{
    const int NameLengthMax = 127;

    public string EntryPoint => $"{Method.DeclaringType!.FullName}.{Method.Name}";

    /// <summary>Finds every function of the types; what is wrong with one is added to the reasons.</summary>
    public static List<FunctionMethod> Find(IEnumerable<Type> types, List<string> reasons)
    {
        const BindingFlags any = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static |
            BindingFlags.Instance | BindingFlags.DeclaredOnly;

        var found = new Dictionary<string, FunctionMethod>(StringComparer.OrdinalIgnoreCase);
        foreach (var method in types.SelectMany(type => type.GetMethods(any)))
        {
            if (method.GetCustomAttribute<FunctionAttribute>() is not { } function)
            {
                continue;
            }

            var triggers = method.GetParameters()
                .Select(parameter => (parameter, trigger: parameter.GetCustomAttribute<TriggerBindingAttribute>()))
                .Where(pair => pair.trigger is not null)
                .ToList();
            var where = $"Function '{function.Name}' ({method.DeclaringType!.FullName}.{method.Name})";

            if (Objection(method, function.Name, triggers.Count) is { } objection)
            {
                reasons.Add($"{where}: {objection}");
            }
            else if (found.TryGetValue(function.Name, out var first))
            {
                reasons.Add($"{where}: the name is taken by {first.EntryPoint}; names differ by more than case.");
            }
            else
            {
                var (parameter, trigger) = triggers[0];
                found.Add(function.Name, new(
                    function.Name, method, trigger!, parameter, method.GetCustomAttribute<RetryAttribute>()));
            }
        }

        return [.. found.Values.OrderBy(function => function.Name, StringComparer.OrdinalIgnoreCase)];
    }

    static string? Objection(MethodInfo method, string name, int triggers)
    {
        var owner = method.DeclaringType!;
        return 0 switch
        {
            _ when !IsName(name) => "a name is a letter followed by letters, digits, '-' or '_', " +
                $"{NameLengthMax} at most.",
            _ when !method.IsPublic => "the method must be public.",
            _ when method.IsGenericMethodDefinition || owner.ContainsGenericParameters =>
                "neither the method nor its class may be generic.",
            _ when !method.IsStatic && owner.IsAbstract => "its class is abstract, so no instance can be made.",
            _ when method.ReturnType == typeof(void) && IsAsync(method) =>
                "'async void' would end before its work does; return Task.",
            _ when triggers == 0 => "no parameter carries a trigger attribute.",
            _ when triggers > 1 => $"{triggers} parameters carry a trigger attribute; a function has one trigger.",
            _ when method.GetParameters().FirstOrDefault(p => p.ParameterType.IsByRef) is { } byRef =>
                $"parameter '{byRef.Name}' is passed by reference.",
            _ => null,
        };
    }

    static bool IsAsync(MethodInfo method) =>
        method.IsDefined(typeof(System.Runtime.CompilerServices.AsyncStateMachineAttribute));

    static bool IsName(string name) =>
        name.Length is > 0 and <= NameLengthMax && char.IsAsciiLetter(name[0]) &&
        name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
}
