using System.Text.Json;
using EventSourcing.Tests.Commands;
using static EventSourcing.Tests.Privacy.PersonCommand;

namespace EventSourcing.Tests.Privacy;

/// <summary>Personal members are never stored readable, and forgetting a person's key erases them everywhere.</summary>
public sealed class PersonalEventTests
{
    static readonly CancellationToken None = CancellationToken.None;
    static readonly Home Home = new("12 St James's Square", "런던", ["Lovelace", "Byron"]);
    static readonly string[] Secrets = ["Ada", "Augusta", "James", "런던", "Lovelace", "Byron"];

    readonly InMemoryEventStore store = new();
    readonly InMemoryKeyVault vault = new();
    readonly ManualClock clock = new();
    readonly PersonId ada = new(Guid.NewGuid());

    StreamId Stream => Person.Stream(ada);

    [Fact]
    public async Task What_is_personal_is_not_readable_in_anything_stored()
    {
        var people = People(snapshots: new(1, "1"));
        await AskAsync(people, new Register("Ada", Home, 7));
        await AskAsync(people, new Rename("Augusta"));
        await AskAsync(Parcels(), new ParcelEvent.Sent(ada, Home.Street, 500));

        var stored = await StoredAsync();
        Assert.All(Secrets, secret => Assert.DoesNotContain(secret, stored, StringComparison.Ordinal));

        // What is not personal stays readable, for queries, audits and people with a database open.
        Assert.Contains("\"points\":7", stored, StringComparison.Ordinal);
        Assert.Contains($"\"to\":\"{ada.Value}\"", stored, StringComparison.Ordinal);
        Assert.Contains("\"grams\":500", stored, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Decisions_are_made_on_the_opened_text()
    {
        await AskAsync(People(), new Register("Ada", Home, 7));
        var again = People();
        var outcome = await AskAsync(again, new Rename("Ada"));
        Assert.Empty(outcome.Events);
        Assert.Equal(("Ada", Home.City, 7), (outcome.State.Name, outcome.State.Home?.City, outcome.State.Points));
        Assert.Equal(Home.Bells, outcome.State.Home?.Bells);
    }

    [Fact]
    public async Task Nothing_where_nothing_was_given()
    {
        await AskAsync(People(), new Register("Ada", null, 7));
        Assert.Null((await LoadAsync(People())).Home);
    }

    [Fact]
    public async Task One_text_is_sealed_differently_each_time()
    {
        await AskAsync(People(), new Register("Ada", null, 0));
        await AskAsync(People(), new Register("Ada", null, 0));
        var names = (await store.ListAsync(Stream)).Select(e => e.EventData.GetProperty("name").GetString());
        Assert.Equal(2, names.Distinct().Count());
    }

    [Fact]
    public async Task A_forgotten_person_reads_as_erased_and_all_the_rest_works()
    {
        var people = People();
        await AskAsync(people, new Register("Ada", Home, 7));
        await AskAsync(people, new AddPoints(1));
        var before = await StoredAsync();
        await Seal().ForgetAsync(Stream, None);
        Assert.Equal(before, await StoredAsync());

        var state = await LoadAsync(People());
        Assert.Equal(("erased", "erased", 8), (state.Name, state.Home?.City, state.Points));
        Assert.Equal(["erased", "erased"], state.Home!.Bells);
        Assert.Equal(10, (await AskAsync(People(), new AddPoints(2))).State.Points);
        Assert.Equal("Ada", (await People().LoadAsync(
            Person.Stream(await SomebodyElseAsync()), StreamRange.All, None)).State.Name);
    }

    [Fact]
    public async Task Nothing_new_is_stored_of_a_forgotten_person()
    {
        await AskAsync(People(), new Register("Ada", Home, 7));
        await Seal().ForgetAsync(Stream, None);
        foreach (var wish in new PersonCommand[] { new Rename("Augusta"), new Register("Ada", null, 0) })
        {
            var outcome = await AskAsync(People(), wish);
            Assert.Equal(("person-forgotten", 1), (outcome.Refusal?.Code, outcome.Sequence));
        }

        var parcel = StreamId.Of("parcel", Guid.NewGuid());
        var sent = await Parcels().HandleAsync(
            parcel, new ParcelEvent.Sent(ada, "street", 1), Instance.Context(), None);
        Assert.Equal("person-forgotten", sent.Refusal?.Code);
        Assert.Equal(0, await store.HeadAsync(parcel, None));
    }

    [Fact]
    public async Task Somebody_forgotten_before_anything_was_sealed_stays_forgotten()
    {
        await Seal().ForgetAsync(Stream, None);
        await Seal().ForgetAsync(Stream, None);
        Assert.True(await Seal().IsForgottenAsync(Stream, None));
        Assert.Equal("person-forgotten", (await AskAsync(People(), new Register("Ada", null, 0))).Refusal?.Code);
    }

    [Fact]
    public async Task What_other_streams_hold_of_a_person_is_erased_with_them()
    {
        var (parcel, bob) = (StreamId.Of("parcel", Guid.NewGuid()), new PersonId(Guid.NewGuid()));
        var parcels = Parcels();
        await parcels.HandleAsync(parcel, new ParcelEvent.Sent(ada, "Ada's street", 1), Instance.Context(), None);
        await parcels.HandleAsync(
            parcel, new ParcelEvent.HandedOver("Bob"), Instance.Context() with { Subject = Person.Stream(bob) }, None);

        await Seal().ForgetAsync(Stream, None);
        var state = (await Parcels().LoadAsync(parcel, StreamRange.All, None)).State;
        Assert.Equal(("erased", "Bob"), (state.Address, state.Signature));
        await Seal().ForgetAsync(Person.Stream(bob), None);
        Assert.Equal("erased", (await Parcels().LoadAsync(parcel, StreamRange.All, None)).State.Signature);
    }

    [Fact]
    public async Task A_personal_text_of_nobody_is_not_stored()
    {
        var parcel = StreamId.Of("parcel", Guid.NewGuid());
        await Assert.ThrowsAsync<InvalidOperationException>(() => Parcels().HandleAsync(
            parcel, new ParcelEvent.HandedOver("Bob"), Instance.Context(), None));
        Assert.Equal(0, await store.HeadAsync(parcel, None));
    }

    [Fact]
    public async Task A_repeat_is_known_and_another_content_refused_although_the_hash_is_sealed()
    {
        await AskAsync(People(), new Register("Ada", Home, 7), "the-command");
        var repeat = await AskAsync(People(), new Register("Ada", Home, 7), "the-command");
        Assert.True(repeat.IsRepeat);
        Assert.Equal("Ada", Assert.IsType<PersonEvent.Registered>(Assert.Single(repeat.Events)).Name);
        Assert.Equal(
            "command-id-reused", (await AskAsync(People(), new Register("Eve", Home, 7), "the-command")).Refusal?.Code);

        await Seal().ForgetAsync(Stream, None);
        var erased = await AskAsync(People(), new Register("Ada", Home, 7), "the-command");
        Assert.True(erased.IsRepeat);
        Assert.Equal("erased", Assert.IsType<PersonEvent.Registered>(Assert.Single(erased.Events)).Name);
    }

    [Fact]
    public async Task Another_instance_forgets_within_the_age_of_its_keys()
    {
        var (here, there) = (Seal(), Seal());
        await AskAsync(People(there), new Register("Ada", Home, 7));
        await here.ForgetAsync(Stream, None);
        Assert.Equal("erased", (await LoadAsync(People(here))).Name);

        clock.Advance(PersonalSeal.KeyAgeMax - TimeSpan.FromTicks(1));
        Assert.Equal("Ada", (await LoadAsync(People(there))).Name);
        clock.Advance(TimeSpan.FromTicks(1));
        Assert.Equal("erased", (await LoadAsync(People(there))).Name);
    }

    [Fact]
    public async Task A_snapshot_is_sealed_as_a_whole_and_saves_the_events_as_ever()
    {
        var policy = new SnapshotPolicy(2, "1");
        await AskAsync(People(snapshots: policy), new Register("Ada", Home, 7));
        await AskAsync(People(snapshots: policy), new AddPoints(1));

        var watched = new WatchedStore(store);
        var state = await LoadAsync(new(Person.Aggregate(policy), watched, new(), clock, Seal()));
        Assert.Equal(("Ada", 8, 1), (state.Name, state.Points, watched.EventsRead));
    }

    [Fact]
    public async Task A_forgotten_persons_snapshot_is_as_good_as_none_and_no_other_is_made()
    {
        var policy = new SnapshotPolicy(2, "1");
        await AskAsync(People(snapshots: policy), new Register("Ada", Home, 7));
        await AskAsync(People(snapshots: policy), new AddPoints(1));
        await Seal().ForgetAsync(Stream, None);
        for (var i = 0; i < 4; i++) await AskAsync(People(snapshots: policy), new AddPoints(1));

        Assert.Equal(2, (await store.ReadSnapshotAsync(Stream, None))!.SnapshotSequence);
        var state = await LoadAsync(People(snapshots: policy));
        Assert.Equal(("erased", 12), (state.Name, state.Points));
    }

    [Fact]
    public async Task The_wrong_vault_is_refused_unless_missing_keys_count_as_forgotten()
    {
        await AskAsync(People(), new Register("Ada", Home, 7));
        var empty = new InMemoryKeyVault();
        await Assert.ThrowsAsync<KeyMissingException>(() => LoadAsync(People(new(empty, clock))));
        Assert.Equal("erased", (await LoadAsync(People(new(empty, clock, missingIsErased: true)))).Name);
    }

    [Fact]
    public void A_handler_of_personal_events_needs_a_seal_and_snapshots_only_of_ones_own_stream()
    {
        Assert.Throws<ArgumentException>(() => new CommandHandler<Person, PersonCommand, PersonEvent>(
            Person.Aggregate(), store, new(), clock));
        Assert.Throws<ArgumentException>(() => new CommandHandler<Parcel, ParcelEvent, ParcelEvent>(
            Parcel.Aggregate(new(2, "1")), store, new(), clock, Seal()));
    }

    async Task<PersonId> SomebodyElseAsync()
    {
        var other = new PersonId(Guid.NewGuid());
        await People().HandleAsync(Person.Stream(other), new Register("Ada", null, 0), Instance.Context(), None);
        return other;
    }

    async Task<string> StoredAsync()
    {
        var parcel = StreamId.Of("parcel", ada.Value);
        return JsonSerializer.Serialize(
            new
            {
                Events = await store.ListAsync(Stream),
                Parcels = await store.ListAsync(parcel),
                Snapshot = await store.ReadSnapshotAsync(Stream, None),
            },
            StoredJson.Options);
    }

    PersonalSeal Seal() => new(vault, clock);

    CommandHandler<Person, PersonCommand, PersonEvent> People(
        PersonalSeal? seal = null, SnapshotPolicy? snapshots = null) =>
        new(Person.Aggregate(snapshots), store, new(), clock, seal ?? Seal());

    CommandHandler<Parcel, ParcelEvent, ParcelEvent> Parcels() =>
        new(Parcel.Aggregate(), store, new(), clock, Seal());

    Task<Outcome<Person, PersonEvent>> AskAsync(
        CommandHandler<Person, PersonCommand, PersonEvent> people, PersonCommand command, string? id = null) =>
        people.HandleAsync(Stream, command, Instance.Context(id), None);

    Task<Outcome<Parcel, ParcelEvent>> AskAsync(
        CommandHandler<Parcel, ParcelEvent, ParcelEvent> parcels, ParcelEvent wish) =>
        parcels.HandleAsync(StreamId.Of("parcel", ada.Value), wish, Instance.Context(), None);

    async Task<Person> LoadAsync(CommandHandler<Person, PersonCommand, PersonEvent> people) =>
        (await people.LoadAsync(Stream, StreamRange.All, None)).State;
}
