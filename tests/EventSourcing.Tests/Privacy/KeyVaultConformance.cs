using System.Security.Cryptography;
using EventSourcing.Cosmos;
using EventSourcing.Tests.Stores;

namespace EventSourcing.Tests.Privacy;

/// <summary>What every key vault must do.</summary>
public abstract class KeyVaultConformance(IKeyVault vault)
{
    static readonly CancellationToken None = CancellationToken.None;

    readonly KeyName name = KeyName.Of(Samples.NewStream());

    [Fact]
    public async Task A_key_is_made_once_and_found_again()
    {
        Assert.Equal(KeyState.Missing, (await vault.FindAsync(name, None)).State);
        var made = await vault.ObtainAsync(name, None);
        Assert.Equal((KeyState.Kept, IKeyVault.KeyBytes), (made.State, made.Bytes.Length));
        Assert.Equal(made.Bytes, (await vault.ObtainAsync(name, None)).Bytes);
        Assert.Equal(made.Bytes, (await vault.FindAsync(name, None)).Bytes);
    }

    [Fact]
    public async Task All_who_ask_at_once_get_the_same_key()
    {
        var keys = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(
            async () => Convert.ToHexString((await vault.ObtainAsync(name, None)).Bytes.Span))));
        Assert.Single(keys.Distinct());
    }

    [Fact]
    public async Task Everybody_has_a_key_of_their_own()
    {
        var other = KeyName.Of(Samples.NewStream());
        var (mine, theirs) = (await vault.ObtainAsync(name, None), await vault.ObtainAsync(other, None));
        Assert.NotEqual(Convert.ToHexString(mine.Bytes.Span), Convert.ToHexString(theirs.Bytes.Span));
        await vault.ForgetAsync(other, None);
        Assert.Equal(KeyState.Kept, (await vault.FindAsync(name, None)).State);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_forgotten_is_never_made_again(bool madeBefore)
    {
        if (madeBefore) await vault.ObtainAsync(name, None);
        for (var times = 0; times < 2; times++)
        {
            await vault.ForgetAsync(name, None);
            Assert.Equal((KeyState.Forgotten, 0), await vault.FindAsync(name, None) is var f
                ? (f.State, f.Bytes.Length)
                : default);
            Assert.Equal(KeyState.Forgotten, (await vault.ObtainAsync(name, None)).State);
        }
    }
}

public sealed class InMemoryKeyVaultTests() : KeyVaultConformance(new InMemoryKeyVault());

public sealed class CosmosKeyVaultTests(LocalCosmos cosmos)
    : KeyVaultConformance(Vault(cosmos, Secret)), IClassFixture<LocalCosmos>
{
    static readonly byte[] Secret = RandomNumberGenerator.GetBytes(IKeyVault.KeyBytes);
    static readonly CancellationToken None = CancellationToken.None;

    readonly KeyName name = KeyName.Of(Samples.NewStream());

    [Fact]
    public async Task A_key_is_stored_wrapped_and_opens_with_its_own_master_key_alone()
    {
        var key = await Vault(cosmos, Secret).ObtainAsync(name, None);
        Assert.Equal(key.Bytes, (await Vault(cosmos, Secret).FindAsync(name, None)).Bytes);

        using var response = await cosmos.Keys.ReadItemStreamAsync(name.Value, new(name.Value));
        using var reader = new StreamReader(response.Content);
        Assert.DoesNotContain(
            Convert.ToBase64String(key.Bytes.Span), await reader.ReadToEndAsync(), StringComparison.Ordinal);
        await Assert.ThrowsAnyAsync<CryptographicException>(
            () => Vault(cosmos, RandomNumberGenerator.GetBytes(IKeyVault.KeyBytes)).FindAsync(name, None));
    }

    [Fact]
    public async Task A_wrapped_key_put_in_anothers_place_does_not_open()
    {
        var master = new AesMasterKey(Secret);
        var wrapped = await master.WrapAsync(name, new byte[IKeyVault.KeyBytes], None);
        await Assert.ThrowsAnyAsync<CryptographicException>(
            () => master.UnwrapAsync(KeyName.Of(Samples.NewStream()), wrapped, None));
        await Assert.ThrowsAnyAsync<CryptographicException>(
            () => master.UnwrapAsync(name, wrapped.AsMemory(0, 5), None));
    }

    [Fact]
    public async Task A_key_costs_one_write_to_make_and_one_point_read_to_find()
    {
        var vault = Vault(cosmos, Secret);
        var made = await Costs.Measured.OfAsync(cosmos, () => vault.ObtainAsync(name, None));
        Assert.Equal((2, true), (made.Requests, made.Charge <= 7));
        Assert.Equal((1, 1.0), await Costs.Measured.OfAsync(cosmos, () => vault.FindAsync(name, None)) is var found
            ? (found.Requests, found.Charge)
            : default);
    }

    [Fact]
    public async Task A_master_key_file_is_made_once_and_for_its_owner_alone()
    {
        var folder = Directory.CreateTempSubdirectory("master-key-");
        try
        {
            var path = Path.Combine(folder.FullName, "keys", "master.key");
            Parallel.For(0, 8, _ => AesMasterKey.OfFile(path));
            var wrapped = await AesMasterKey.OfFile(path).WrapAsync(name, new byte[IKeyVault.KeyBytes], None);
            Assert.Equal(
                new byte[IKeyVault.KeyBytes], await AesMasterKey.OfFile(path).UnwrapAsync(name, wrapped, None));
            Assert.Equal([path], Directory.GetFiles(Path.GetDirectoryName(path)!));
            if (!OperatingSystem.IsWindows())
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
            Assert.Throws<ArgumentException>(() => new AesMasterKey(new byte[16]));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    static CosmosKeyVault Vault(LocalCosmos cosmos, byte[] secret) =>
        new(cosmos.Keys, new AesMasterKey(secret), new ManualClock());
}
