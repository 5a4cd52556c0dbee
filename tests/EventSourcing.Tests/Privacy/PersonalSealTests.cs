using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;

namespace EventSourcing.Tests.Privacy;

/// <summary>Sealed text as text: it passes through any JSON unharmed and is opened wherever it stands.</summary>
public sealed class PersonalSealTests
{
    static readonly CancellationToken None = CancellationToken.None;
    static readonly StreamId Ada = StreamId.Of("person", "ada");

    readonly InMemoryKeyVault vault = new();
    readonly ManualClock clock = new();

    [Fact]
    public void Any_text_is_opened_as_it_was_sealed() => Check.One(
        Config.QuickThrowOnFailure.WithReplay(20260301, 1),
        Prop.ForAll(ArbMap.Default.ArbFor<UnicodeString>(), async text =>
        {
            var close = (await Seal().ForAsync(Ada, None))!;
            var opened = await Seal().OpenAsync(Encoding.UTF8.GetBytes(Quoted(close(text.Get ?? ""))), None);

            // Half a character is no text: it is stored as the sign for that, sealed or not.
            Assert.Equal(
                JsonSerializer.Deserialize<string>(Quoted(text.Get ?? "")),
                JsonSerializer.Deserialize<string>(opened.Span));
        }));

    [Fact]
    public async Task It_is_opened_wherever_it_stands_and_nothing_else_is_touched()
    {
        var close = (await Seal().ForAsync(Ada, None))!;
        var (first, second) = (Quoted(close("Ada \"L\"")), Quoted(close("런던")));
        var json = """
            { "a" : [ 1.50, FIRST, null ],
              "b": {"c":SECOND, "d":"\u00021not-one", "e":"plain \u00fc"}  , "n":12345678901234567890}
            """;
        var before = json.Replace("FIRST", first, StringComparison.Ordinal)
            .Replace("SECOND", second, StringComparison.Ordinal);
        var opened = await Seal().OpenAsync(Encoding.UTF8.GetBytes(before), None);
        Assert.Equal(
            json.Replace("FIRST", Quoted("Ada \"L\""), StringComparison.Ordinal)
                .Replace("SECOND", Quoted("런던"), StringComparison.Ordinal),
            Encoding.UTF8.GetString(opened.Span));
    }

    [Fact]
    public async Task What_holds_nothing_sealed_is_passed_on_as_it_is()
    {
        var json = "{\"a\":1}"u8.ToArray();
        Assert.True(json.AsMemory().Equals(await Seal().OpenAsync(json.AsMemory(), None)));
    }

    [Fact]
    public async Task A_text_that_only_looks_sealed_stays_a_text()
    {
        string[] lookalikes =
        [
            "\u0002", "\u00021", "\u00021AAAA", "\u00021" + new string('*', 80), "\u00022" + new string('A', 80),
        ];
        foreach (var text in lookalikes)
        {
            var json = JsonSerializer.SerializeToUtf8Bytes(text, StoredJson.Options);
            var opened = await Seal().OpenAsync(json, None);
            Assert.Equal(text, JsonSerializer.Deserialize<string>(opened.Span));
        }
    }

    [Fact]
    public async Task A_sealed_text_given_as_a_text_is_opened_once()
    {
        var close = (await Seal().ForAsync(Ada, None))!;
        var stolen = close("Ada");
        var json = JsonSerializer.SerializeToUtf8Bytes(close(stolen), StoredJson.Options);
        Assert.Equal(stolen, JsonSerializer.Deserialize<string>((await Seal().OpenAsync(json, None)).Span));
    }

    [Fact]
    public async Task A_sealed_text_that_was_changed_is_an_error()
    {
        var text = (await Seal().ForAsync(Ada, None))!("Ada");
        var changed = text[..^2] + (text[^2] == 'A' ? 'B' : 'A') + text[^1];
        await Assert.ThrowsAnyAsync<CryptographicException>(
            async () => await Seal().OpenAsync(JsonSerializer.SerializeToUtf8Bytes(changed, StoredJson.Options), None));
    }

    [Fact]
    public async Task Keys_are_looked_up_once_for_their_age_and_no_more_are_kept_than_allowed()
    {
        var seal = Seal();
        var json = JsonSerializer.SerializeToUtf8Bytes((await seal.ForAsync(Ada, None))!("Ada"), StoredJson.Options);
        await vault.ForgetAsync(KeyName.Of(Ada), None);
        Assert.Equal("\"Ada\"", Encoding.UTF8.GetString((await seal.OpenAsync(json, None)).Span));
        for (var i = 0; i < PersonalSeal.KeysMax; i++) await seal.ForAsync(StreamId.Of("person", $"{i}"), None);
        Assert.Equal("\"erased\"", Encoding.UTF8.GetString((await seal.OpenAsync(json, None)).Span));
    }

    [Fact]
    public void Only_text_can_be_sealed()
    {
        var personal = Personal.OfOwnStream("born");
        foreach (var value in new object[] { 1815, true, new { year = 1815 } })
        {
            Assert.Throws<InvalidOperationException>(() => PersonalSeal.Seal(
                JsonSerializer.SerializeToElement(new { born = value }), personal, text => text));
        }
    }

    [Fact]
    public void A_member_that_does_not_exist_is_refused_where_it_is_declared()
    {
        Assert.Throws<ArgumentException>(() => new EventTypes<PersonEvent>
        {
            { "person-renamed", typeof(PersonEvent.Renamed), Personal.OfOwnStream("nick") },
        });
        Assert.Throws<ArgumentException>(() => new EventTypes<ParcelEvent>
        {
            { "parcel-sent", typeof(ParcelEvent.Sent), Personal.Of("person", "from", "address") },
        });
        Assert.Throws<ArgumentException>(() => Personal.OfOwnStream());
    }

    [Fact]
    public void A_key_has_one_name_for_ever()
    {
        Assert.Equal("VXAmGtCSF6ujqSUc", KeyName.Of(StreamId.Of("customer", Guid.Empty)).Value);
        Assert.NotEqual(KeyName.Of(Ada), KeyName.Of(StreamId.Of("person", "bob")));
    }

    PersonalSeal Seal() => new(vault, clock);

    static string Quoted(string text) => JsonSerializer.Serialize(text, StoredJson.Options);
}
