using Runtime.Cosmos.Batch;
using Runtime.Cosmos.Storage;

namespace Runtime.Cosmos.Tests;

/// <summary>The parts everything stands on, against simple ones that do the same.</summary>
public sealed class Trees
{
    [Theory]
    [InlineData(1, 50)]
    [InlineData(2, 2000)]
    [InlineData(3, 20_000)]
    public void A_tree_is_a_sorted_set_and_its_older_versions_stay_as_they_were(int seed, int range)
    {
        var random = new Random(seed);
        var tree = new SortedTree<int>(Comparer<int>.Default);
        var model = new SortedSet<int>();
        var versions = new List<(SortedTree<int> Tree, int[] Content)>();
        for (var step = 0; step < 4000; step++)
        {
            // Grows at first, then shrinks until it is empty again.
            var number = random.Next(range);
            if (step < 2000 ? random.Next(4) > 0 : random.Next(4) == 0)
            {
                (tree, _) = (tree.With(number), model.Add(number));
            }
            else
            {
                number = model.Count > 0 && random.Next(2) == 0 ? model.ElementAt(random.Next(model.Count)) : number;
                (tree, _) = (tree.Without(number), model.Remove(number));
            }

            Assert.Equal(model.Count, tree.Count);
            if (step % 200 == 0)
            {
                versions.Add((tree, [.. model]));
                Check(tree, model, random.Next(range));
            }
        }

        Assert.All(versions, version => Assert.Equal(version.Content, version.Tree.All()));
        var built = SortedTree<int>.FromSorted(Comparer<int>.Default, [.. model]);
        Check(built, model, range / 2);
    }

    [Theory]
    [InlineData("\"q\"", "137B183925A89BAF6D026A0A5F8D314B")]
    [InlineData("\"b\"", "195644569A78B1E22D200348AF9416CE")]
    [InlineData("\"a\"", "3A5381E1114EB8D3FCC90795045B49B7")]
    public void Keys_hash_as_the_client_hashes_them(string key, string hash) =>
        Assert.Equal(hash, PartitionKey.Parse($"[{key}]", 1).EffectiveHex(hierarchical: false));

    [Fact]
    public void Parts_of_a_hierarchical_key_cannot_be_confused()
    {
        var one = PartitionKey.Parse("""["a:","b"]""", 2);
        var other = PartitionKey.Parse("""["a",":b"]""", 2);
        Assert.NotEqual(one, other);
        var first = PartitionKey.Parse("""["a:"]""", 1).EffectiveHex(hierarchical: false);
        Assert.StartsWith(first, one.EffectiveHex(hierarchical: true), StringComparison.Ordinal);
    }

    [Fact]
    public void The_checksum_is_the_usual_one() => Assert.Equal(0xCBF43926, Crc32.Hash("123456789"u8));

    static void Check(SortedTree<int> tree, SortedSet<int> model, int from)
    {
        Assert.Equal(model, tree.All());
        Assert.Equal(model.Reverse(), tree.All(descending: true));
        Assert.Equal(model.Where(number => number >= from), tree.From(new At(from)));
        Assert.Equal(model.Reverse().Where(number => number <= from), tree.From(new At(from), descending: true));
        Assert.Equal(model.Contains(from), tree.TryFind(new At(from), out _));
    }

    readonly struct At(int number) : IProbe<int>
    {
        public int Compare(int entry) => number.CompareTo(entry);
    }
}
