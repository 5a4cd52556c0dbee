using System.Linq.Expressions;
using System.Reflection;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;
using Microsoft.Extensions.DependencyInjection;

namespace Runtime.Worker;

/// <summary>A function made callable once: after this no invocation looks at metadata.</summary>
sealed class CompiledFunction
{
    readonly ParameterBinder[] binders;
    readonly ObjectFactory? instances;
    readonly Func<object?, object?[], ValueTask<object?>> call;
    readonly (string Name, Func<object, object?> Read)[] outputs;
    readonly bool returnsOutput;
    readonly string? httpResult;

    public CompiledFunction(TriggeredFunction function)
    {
        var method = function.Method;
        binders = [.. method.GetParameters().Select(parameter => function.Binders[parameter])];
        instances = method.IsStatic ? null : ActivatorUtilities.CreateFactory(method.DeclaringType!, Type.EmptyTypes);
        call = Compile(method);
        outputs = [.. OutputProperties(method).Select(property => (property.Name, Reader(property)))];
        returnsOutput = method.IsDefined(typeof(OutputBindingAttribute));
        httpResult = OutputProperties(method).FirstOrDefault(p => p.IsDefined(typeof(HttpResultAttribute)))?.Name;
    }

    /// <summary>The answer to the request in a result that has other outputs too.</summary>
    public object? HttpResult(InvocationOutcome outcome) =>
        httpResult is null ? null : outcome.Outputs.GetValueOrDefault(httpResult);

    /// <summary>The type inside the task, or void.</summary>
    public static Type ResultType(MethodInfo method) => method.ReturnType switch
    {
        var type when type == typeof(Task) || type == typeof(ValueTask) => typeof(void),
        { IsGenericType: true } type when type.GetGenericTypeDefinition() is var open &&
            (open == typeof(Task<>) || open == typeof(ValueTask<>)) => type.GetGenericArguments()[0],
        var type => type,
    };

    public static IEnumerable<PropertyInfo> OutputProperties(MethodInfo method) =>
        ResultType(method).GetProperties().Where(p => p.IsDefined(typeof(OutputBindingAttribute)));

    /// <summary>The innermost delegate: makes the instance, binds, calls, and files the result.</summary>
    public async Task RunAsync(FunctionContext context)
    {
        var outcome = context.Features.Get<InvocationOutcome>()!;
        var instance = instances?.Invoke(context.InstanceServices, null);

        var arguments = new object?[binders.Length];
        for (var i = 0; i < binders.Length; i++)
        {
            arguments[i] = await binders[i](context, outcome.Payload);
        }

        outcome.Value = await call(instance, arguments);
        if (returnsOutput)
        {
            outcome.Outputs[Definition.Returned] = outcome.Value;
        }
        else if (outputs.Length > 0 && outcome.Value is { } result)
        {
            foreach (var (name, read) in outputs)
            {
                outcome.Outputs[name] = read(result);
            }

            // As in the real worker: a result that is taken apart into outputs is itself no result any more.
            outcome.Value = null;
        }
    }

    static Func<object?, object?[], ValueTask<object?>> Compile(MethodInfo method)
    {
        var instance = Expression.Parameter(typeof(object));
        var arguments = Expression.Parameter(typeof(object[]));
        var values = method.GetParameters().Select((parameter, i) =>
            Expression.Convert(Expression.ArrayIndex(arguments, Expression.Constant(i)), parameter.ParameterType));
        var invocation = Expression.Call(
            method.IsStatic ? null : Expression.Convert(instance, method.DeclaringType!), method, values);

        var result = ResultType(method);
        Expression body = (method.ReturnType == result, result == typeof(void)) switch
        {
            (true, true) => Expression.Block(invocation, Expression.Default(typeof(ValueTask<object?>))),
            (true, false) => Expression.New(
                typeof(ValueTask<object?>).GetConstructor([typeof(object)])!,
                Expression.Convert(invocation, typeof(object))),
            (false, true) => Expression.Call(typeof(CompiledFunction), nameof(Await), [], invocation),
            (false, false) => Expression.Call(typeof(CompiledFunction), nameof(Await), [result], invocation),
        };
        return Expression.Lambda<Func<object?, object?[], ValueTask<object?>>>(body, instance, arguments).Compile();
    }

    static Func<object, object?> Reader(PropertyInfo property)
    {
        var owner = Expression.Parameter(typeof(object));
        var read = Expression.Property(Expression.Convert(owner, property.DeclaringType!), property);
        return Expression.Lambda<Func<object, object?>>(Expression.Convert(read, typeof(object)), owner).Compile();
    }

    static async ValueTask<object?> Await(Task task)
    {
        await task;
        return null;
    }

    static async ValueTask<object?> Await(ValueTask task)
    {
        await task;
        return null;
    }

    static async ValueTask<object?> Await<T>(Task<T> task) => await task;

    static async ValueTask<object?> Await<T>(ValueTask<T> task) => await task;
}
