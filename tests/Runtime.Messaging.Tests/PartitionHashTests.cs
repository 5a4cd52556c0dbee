using Runtime.Messaging.Hubs;

namespace Runtime.Messaging.Tests;

public sealed class PartitionHashTests
{
    /// <summary>Values the service itself gives, so that a key has the same partition here and there.</summary>
    [Theory]
    [InlineData("7", -15263)]
    [InlineData("131", 30562)]
    [InlineData("FWfAT", -22341)]
    [InlineData("$0cb", 26269)]
    [InlineData("!c*_!I@1^c", 15372)]
    [InlineData("7149583486996073602", 12977)]
    [InlineData("-4189260826195535198", 453)]
    [InlineData("sOdeEAsyQoEuEFPGerWO", -6503)]
    [InlineData("p4*!jioeO/z-!-;w:dh", -3104)]
    public void A_key_hashes_as_on_Azure(string key, short hash) => Assert.Equal(hash, PartitionHash.Of(key));

    [Fact]
    public void Keys_spread_over_all_partitions()
    {
        var counts = new int[8];
        for (var i = 0; i < 8_000; i++)
        {
            counts[PartitionHash.Partition($"order-{i}", 8)]++;
        }

        Assert.All(counts, count => Assert.InRange(count, 800, 1_200));
    }
}
