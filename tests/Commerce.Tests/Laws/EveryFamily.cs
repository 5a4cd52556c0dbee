using System.Collections;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using EventSourcing;

namespace Commerce.Tests.Laws;

/// <summary>
/// C# does not check that a switch covers a family. These tests do: every event through every fold and view, every
/// command through every decider, found by reflection so that a new one cannot be forgotten.
/// </summary>
public sealed class EveryFamily
{
    static readonly Type[] Domain = typeof(Money).Assembly.GetTypes();

    static IEnumerable<Type> Families(string suffix) => Domain.Where(type =>
        type.IsAbstract && !type.IsSealed && !type.IsInterface && type.Name.EndsWith(suffix, StringComparison.Ordinal));

    public static TheoryData<Type> Events => [.. Families("Event").SelectMany(Members)];

    public static TheoryData<Type> Commands => [.. Families("Command").SelectMany(Members)];

    public static TheoryData<Type> EventFamilies => [.. Families("Event")];

    [Fact]
    public void There_are_eight_families_of_each()
    {
        Assert.Equal(8, Families("Event").Count());
        Assert.Equal(8, Families("Command").Count());
    }

    [Theory]
    [MemberData(nameof(EventFamilies))]
    public void A_family_is_closed(Type family)
    {
        Assert.All(Members(family), member => Assert.True(member.IsSealed));
        Assert.DoesNotContain(Domain, type => type.IsSubclassOf(family) && type.DeclaringType != family);
        Assert.Empty(family.GetConstructors());
    }

    [Theory]
    [MemberData(nameof(Events))]
    public void An_event_has_a_stored_name(Type @event)
    {
        var stored = Assert.Single(StoredTypes(@event.BaseType!), type => type.ClrType == @event);
        var category = (string)DeciderOf(@event.BaseType!).DeclaringType!.GetField("Category")!.GetValue(null)!;

        Assert.StartsWith(category + "-", stored.Name, StringComparison.Ordinal);
        Assert.Matches("^[a-z]+(-[a-z]+)+$", stored.Name);
        Assert.Equal(1, stored.Version);
    }

    [Fact]
    public void Stored_names_are_unique_over_all_families()
    {
        var names = Families("Event").SelectMany(StoredTypes).Select(type => type.Name).ToList();
        Assert.Equal(names.Count, names.Distinct().Count());
    }

    [Theory]
    [MemberData(nameof(Events))]
    public void An_event_is_folded_into_the_state(Type @event)
    {
        var decider = DeciderOf(@event.BaseType!).GetValue(null)!;
        var state = Opened(decider, @event);
        Call(Part(decider, "Evolve"), state, Sample.Of(@event));
    }

    [Theory]
    [MemberData(nameof(Events))]
    public void An_event_is_folded_into_every_view(Type @event)
    {
        var family = @event.BaseType!;
        var recorded = typeof(Recorded<>).MakeGenericType(family);
        var views = Domain.Select(type => type.GetMethod("Project", BindingFlags.Static | BindingFlags.Public))
            .Where(project => project?.GetParameters()[1].ParameterType == recorded)
            .ToList();
        Type[] withoutView = [typeof(Commerce.Payments.PaymentEvent), typeof(Commerce.Inventory.AllocationEvent)];
        Assert.True(views.Count > 0 || withoutView.Contains(family), $"{family} has no view.");

        foreach (var project in views)
        {
            var opening = Members(family).First();
            var view = opening == @event ? null : project!.Invoke(null, [null, Record(recorded, opening)]);
            view = project!.Invoke(null, [view, Record(recorded, @event)]);
            Assert.NotNull(view);
            AssertStorable(view);
        }
    }

    [Theory]
    [MemberData(nameof(Events))]
    public void A_state_is_the_same_after_being_stored(Type @event)
    {
        var decider = DeciderOf(@event.BaseType!).GetValue(null)!;
        AssertStorable(Call(Part(decider, "Evolve"), Opened(decider, @event), Sample.Of(@event))!);
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void A_command_is_decided_in_every_state(Type command)
    {
        var name = command.BaseType!.FullName!.Replace("Command", "Event", StringComparison.Ordinal);
        var family = Domain.Single(type => type.FullName == name);
        var decider = DeciderOf(family).GetValue(null)!;

        Call(Part(decider, "Decide"), Sample.Of(command), Part(decider, "Initial"));
        foreach (var @event in Members(family))
        {
            var state = Call(Part(decider, "Evolve"), Opened(decider, @event), Sample.Of(@event));
            Call(Part(decider, "Decide"), Sample.Of(command), state);
        }
    }

    static IEnumerable<Type> Members(Type family) => family.GetNestedTypes().Where(type => type.IsSubclassOf(family));

    static IEnumerable<EventType> StoredTypes(Type family) =>
        ((IEnumerable)family.GetField("Types")!.GetValue(null)!).Cast<EventType>();

    static FieldInfo DeciderOf(Type family) => Domain
        .SelectMany(type => type.GetFields(BindingFlags.Static | BindingFlags.Public))
        .Single(field => field.FieldType is { IsGenericType: true } type
            && type.GetGenericTypeDefinition() == typeof(Decider<,,>) && type.GenericTypeArguments[2] == family);

    static object? Part(object decider, string name) => decider.GetType().GetProperty(name)!.GetValue(decider);

    // The first event of a family opens its streams; what follows may rely on it.
    static object? Opened(object decider, Type @event)
    {
        var opening = Members(@event.BaseType!).First();
        var initial = Part(decider, "Initial");
        return opening == @event ? initial : Call(Part(decider, "Evolve"), initial, Sample.Of(opening));
    }

    static object? Call(object? function, params object?[] arguments)
    {
        try
        {
            return ((Delegate)function!).DynamicInvoke(arguments);
        }
        catch (TargetInvocationException fault) when (fault.InnerException is UnreachableException)
        {
            throw new InvalidOperationException($"A switch has no arm for {arguments[0]}, {arguments[1]}.", fault);
        }
    }

    // A snapshot or a view read back must fold and decide as the one in memory does, so nothing may be lost on the way.
    static void AssertStorable(object value)
    {
        var text = JsonSerializer.Serialize(value, StoredJson.Options);
        var read = JsonSerializer.Deserialize(text, value.GetType(), StoredJson.Options);
        Assert.Equal(text, JsonSerializer.Serialize(read, StoredJson.Options));
        Assert.Equivalent(value, read, strict: true);
    }

    static object Record(Type recorded, Type @event) => Activator.CreateInstance(
        recorded, StreamId.Of("order", Samples.TheOrder.Value), 1L, Sample.Of(@event), Samples.Metadata(0))!;
}

/// <summary>Makes some value of any type in the domain, following its longest constructor.</summary>
static class Sample
{
    public static object Of(Type type)
    {
        if (type == typeof(string)) return "text";
        if (type == typeof(Guid)) return Samples.TheOrder.Value;
        if (type == typeof(DateTimeOffset)) return Samples.Noon;
        if (Nullable.GetUnderlyingType(type) is { } inner) return Of(inner);
        if (type.IsPrimitive) return Convert.ChangeType(1, type, null);
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ImmutableArray<>))
            return ArrayOf(type.GenericTypeArguments[0]);

        var constructor = type.GetConstructors().MaxBy(constructor => constructor.GetParameters().Length);
        return constructor is null
            ? RuntimeHelpers.GetUninitializedObject(type)
            : constructor.Invoke([.. constructor.GetParameters().Select(parameter => Of(parameter.ParameterType))]);
    }

    static object ArrayOf(Type item)
    {
        var items = Array.CreateInstance(item, 1);
        items.SetValue(Of(item), 0);
        return typeof(ImmutableArray).GetMethods()
            .Single(method => method.Name == "Create" && method.GetParameters() is [{ ParameterType.IsArray: true }])
            .MakeGenericMethod(item)
            .Invoke(null, [items])!;
    }
}
