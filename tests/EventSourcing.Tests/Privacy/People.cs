using System.Diagnostics;

namespace EventSourcing.Tests.Privacy;

public readonly record struct PersonId(Guid Value);

public sealed record Home(string Street, string City, IReadOnlyList<string> Bells);

public abstract record PersonEvent
{
    public sealed record Registered(string Name, Home? Home, int Points) : PersonEvent;

    public sealed record Renamed(string Name) : PersonEvent;

    public sealed record PointsAdded(int Points) : PersonEvent;

    public static readonly EventTypes<PersonEvent> Types = new()
    {
        { "person-registered", typeof(Registered), Personal.OfOwnStream("name", "home") },
        { "person-renamed", typeof(Renamed), Personal.OfOwnStream("name") },
        { "person-points-added", typeof(PointsAdded) },
    };
}

public abstract record PersonCommand
{
    public sealed record Register(string Name, Home? Home, int Points) : PersonCommand;

    public sealed record Rename(string Name) : PersonCommand;

    public sealed record AddPoints(int Points) : PersonCommand;
}

/// <summary>A stream about one person.</summary>
public sealed record Person(string? Name, Home? Home, int Points)
{
    public static readonly Decider<Person, PersonCommand, PersonEvent> Decider = new(
        new(null, null, 0), Evolve, Decide);

    public static Aggregate<Person, PersonCommand, PersonEvent> Aggregate(SnapshotPolicy? snapshots = null) =>
        new("person", Decider, new(PersonEvent.Types), snapshots);

    public static StreamId Stream(PersonId person) => StreamId.Of("person", person.Value);

    static Person Evolve(Person person, PersonEvent @event) => @event switch
    {
        PersonEvent.Registered e => new(e.Name, e.Home, e.Points),
        PersonEvent.Renamed e => person with { Name = e.Name },
        PersonEvent.PointsAdded e => person with { Points = person.Points + e.Points },
        _ => throw new UnreachableException(),
    };

    static Decision<PersonEvent> Decide(PersonCommand command, Person person) => command switch
    {
        PersonCommand.Register c => [new PersonEvent.Registered(c.Name, c.Home, c.Points)],
        PersonCommand.Rename c when c.Name == person.Name => [],
        PersonCommand.Rename c => [new PersonEvent.Renamed(c.Name)],
        PersonCommand.AddPoints c => [new PersonEvent.PointsAdded(c.Points)],
        _ => throw new UnreachableException(),
    };
}

public abstract record ParcelEvent
{
    /// <summary>The parcel says whose the address is.</summary>
    public sealed record Sent(PersonId To, string Address, int Grams) : ParcelEvent;

    /// <summary>Only who asks knows whose signature it is.</summary>
    public sealed record HandedOver(string Signature) : ParcelEvent;

    public static readonly EventTypes<ParcelEvent> Types = new()
    {
        { "parcel-sent", typeof(Sent), Personal.Of("person", "to", "address") },
        { "parcel-handed-over", typeof(HandedOver), Personal.OfSubjectAsked("signature") },
    };
}

/// <summary>A stream about something else that mentions people.</summary>
public sealed record Parcel(string? Address, string? Signature)
{
    public static Aggregate<Parcel, ParcelEvent, ParcelEvent> Aggregate(SnapshotPolicy? snapshots = null) => new(
        "parcel",
        new(
            new(null, null),
            (parcel, @event) => @event switch
            {
                ParcelEvent.Sent e => parcel with { Address = e.Address },
                ParcelEvent.HandedOver e => parcel with { Signature = e.Signature },
                _ => throw new UnreachableException(),
            },
            (wish, _) => [wish]),
        new(ParcelEvent.Types),
        snapshots);
}
