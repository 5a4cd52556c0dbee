using System.Diagnostics;

namespace Runtime.Cosmos.Storage;

/// <summary>Says where a sought place lies: negative before the entry, positive after it, zero on it.</summary>
interface IProbe<T>
{
    int Compare(T entry);
}

/// <summary>An immutable ordered set: every change answers a new tree and leaves the old one whole.</summary>
/// <remarks>
/// A B-tree whose changed nodes are copied on the way down. A reader keeps the tree it took for as long as it likes
/// without a lock, which is what lets a query page see one instant while the writer goes on, and lets a refused
/// transaction be undone by forgetting its tree. <c>lows[i]</c> separates child i-1 from child i; the first is unused.
/// </remarks>
sealed class SortedTree<T>
{
    const int NodeEntriesMax = 32;
    const int DepthMax = 12;

    readonly IComparer<T> order;
    readonly Node? root;

    public SortedTree(IComparer<T> order) => this.order = order;

    SortedTree(IComparer<T> order, Node? root, int count) => (this.order, this.root, Count) = (order, root, count);

    public int Count { get; }

    /// <summary>Builds a tree at once from entries already in order.</summary>
    public static SortedTree<T> FromSorted(IComparer<T> order, IReadOnlyList<T> entries)
    {
        var nodes = new List<Node>();
        var lows = new List<T>();
        for (var start = 0; start < entries.Count; start += NodeEntriesMax)
        {
            var leaf = new T[Math.Min(NodeEntriesMax, entries.Count - start)];
            for (var i = 0; i < leaf.Length; i++)
            {
                leaf[i] = entries[start + i];
                var at = start + i;
                Debug.Assert(at == 0 || order.Compare(entries[at - 1], leaf[i]) < 0, "entries are in order");
            }

            nodes.Add(new Leaf(leaf));
            lows.Add(leaf[0]);
        }

        while (nodes.Count > 1)
        {
            var (parents, parentLows) = (new List<Node>(), new List<T>());
            for (var start = 0; start < nodes.Count; start += NodeEntriesMax)
            {
                var length = Math.Min(NodeEntriesMax, nodes.Count - start);
                parents.Add(new Branch([.. lows.GetRange(start, length)], [.. nodes.GetRange(start, length)]));
                parentLows.Add(lows[start]);
            }

            (nodes, lows) = (parents, parentLows);
        }

        return new SortedTree<T>(order, nodes.Count == 0 ? null : nodes[0], entries.Count);
    }

    /// <summary>The tree with this entry, in place of one that compares equal if there is one.</summary>
    public SortedTree<T> With(T entry)
    {
        if (root is null)
        {
            return new SortedTree<T>(order, new Leaf([entry]), 1);
        }

        var grown = root.With(entry, order, out var split, out var replaced);
        if (split is not null)
        {
            grown = new Branch([entry, split.Low], [grown, split.Right]);
        }

        return new SortedTree<T>(order, grown, replaced ? Count : Count + 1);
    }

    /// <summary>The tree without the entry that compares equal; the same tree if there is none.</summary>
    public SortedTree<T> Without(T entry)
    {
        if (root is null || !root.TryWithout(entry, order, out var shrunk))
        {
            return this;
        }

        while (shrunk is Branch { Children.Length: 1 } single)
        {
            shrunk = single.Children[0];
        }

        return new SortedTree<T>(order, shrunk, Count - 1);
    }

    public bool TryFind<TProbe>(TProbe probe, out T entry) where TProbe : struct, IProbe<T>
    {
        var node = root;
        while (node is Branch branch)
        {
            node = branch.Children[ChildOf(branch, probe)];
        }

        if (node is Leaf leaf)
        {
            var index = leaf.LowerBound(probe);
            if (index < leaf.Entries.Length && probe.Compare(leaf.Entries[index]) == 0)
            {
                entry = leaf.Entries[index];
                return true;
            }
        }

        entry = default!;
        return false;
    }

    /// <summary>
    /// Entries from the sought place on, upwards, or downwards when asked; the place itself included.
    /// </summary>
    public IEnumerable<T> From<TProbe>(TProbe probe, bool descending = false) where TProbe : struct, IProbe<T>
    {
        if (root is null)
        {
            yield break;
        }

        var path = new (Branch Branch, int Index)[DepthMax];
        var depth = 0;
        var node = root;
        while (node is Branch branch)
        {
            var child = ChildOf(branch, probe);
            path[depth++] = (branch, child);
            node = branch.Children[child];
        }

        var leaf = (Leaf)node;
        var index = descending ? leaf.UpperBound(probe) - 1 : leaf.LowerBound(probe);
        while (true)
        {
            for (; index >= 0 && index < leaf.Entries.Length; index += descending ? -1 : 1)
            {
                yield return leaf.Entries[index];
            }

            if (NextLeaf(path, ref depth, descending) is not { } next)
            {
                yield break;
            }

            leaf = next;
            index = descending ? leaf.Entries.Length - 1 : 0;
        }
    }

    public IEnumerable<T> All(bool descending = false) => From(new Edge(descending ? 1 : -1), descending);

    static Leaf? NextLeaf((Branch Branch, int Index)[] path, ref int depth, bool descending)
    {
        while (depth > 0)
        {
            ref var step = ref path[depth - 1];
            step.Index += descending ? -1 : 1;
            if (step.Index < 0 || step.Index >= step.Branch.Children.Length)
            {
                depth--;
                continue;
            }

            var node = step.Branch.Children[step.Index];
            while (node is Branch branch)
            {
                var edge = descending ? branch.Children.Length - 1 : 0;
                path[depth++] = (branch, edge);
                node = branch.Children[edge];
            }

            return (Leaf)node;
        }

        return null;
    }

    static int ChildOf<TProbe>(Branch branch, TProbe probe) where TProbe : struct, IProbe<T>
    {
        var (low, high) = (1, branch.Children.Length);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (probe.Compare(branch.Lows[middle]) < 0)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return low - 1;
    }

    readonly struct Edge(int side) : IProbe<T>
    {
        public int Compare(T entry) => side;
    }

    readonly struct Exact(T sought, IComparer<T> order) : IProbe<T>
    {
        public int Compare(T entry) => order.Compare(sought, entry);
    }

    sealed record Split(T Low, Node Right);

    abstract class Node
    {
        public abstract Node With(T entry, IComparer<T> order, out Split? split, out bool replaced);

        /// <summary>False when there is nothing to take out; an emptied node answers null.</summary>
        public abstract bool TryWithout(T entry, IComparer<T> order, out Node? shrunk);
    }

    sealed class Leaf(T[] entries) : Node
    {
        public readonly T[] Entries = entries;

        public int LowerBound<TProbe>(TProbe probe) where TProbe : struct, IProbe<T>
        {
            var (low, high) = (0, Entries.Length);
            while (low < high)
            {
                var middle = (low + high) >>> 1;
                if (probe.Compare(Entries[middle]) > 0)
                {
                    low = middle + 1;
                }
                else
                {
                    high = middle;
                }
            }

            return low;
        }

        public int UpperBound<TProbe>(TProbe probe) where TProbe : struct, IProbe<T>
        {
            var index = LowerBound(probe);
            return index < Entries.Length && probe.Compare(Entries[index]) == 0 ? index + 1 : index;
        }

        public override Node With(T entry, IComparer<T> order, out Split? split, out bool replaced)
        {
            split = null;
            var index = LowerBound(new Exact(entry, order));
            replaced = index < Entries.Length && order.Compare(entry, Entries[index]) == 0;
            if (replaced)
            {
                T[] copy = [.. Entries];
                copy[index] = entry;
                return new Leaf(copy);
            }

            if (Entries.Length < NodeEntriesMax)
            {
                return new Leaf(Inserted(Entries, index, entry));
            }

            // Keys that only grow (rids, LSNs) would leave every leaf half empty if it were cut in the middle.
            var cut = index == Entries.Length ? index : Entries.Length / 2;
            var (left, right) = (Entries[..cut], Entries[cut..]);
            if (index < cut)
            {
                left = Inserted(left, index, entry);
            }
            else
            {
                right = Inserted(right, index - cut, entry);
            }

            split = new Split(right[0], new Leaf(right));
            return new Leaf(left);
        }

        public override bool TryWithout(T entry, IComparer<T> order, out Node? shrunk)
        {
            var index = LowerBound(new Exact(entry, order));
            shrunk = null;
            if (index == Entries.Length || order.Compare(entry, Entries[index]) != 0)
            {
                return false;
            }

            shrunk = Entries.Length == 1 ? null : new Leaf([.. Entries[..index], .. Entries[(index + 1)..]]);
            return true;
        }
    }

    sealed class Branch(T[] lows, Node[] children) : Node
    {
        public readonly T[] Lows = lows;
        public readonly Node[] Children = children;

        public override Node With(T entry, IComparer<T> order, out Split? split, out bool replaced)
        {
            var index = ChildOf(this, new Exact(entry, order));
            var child = Children[index].With(entry, order, out var childSplit, out replaced);
            Node[] children = [.. Children];
            children[index] = child;
            split = null;
            if (childSplit is null)
            {
                return new Branch(Lows, children);
            }

            var lows = Inserted(Lows, index + 1, childSplit.Low);
            children = Inserted(children, index + 1, childSplit.Right);
            if (children.Length <= NodeEntriesMax)
            {
                return new Branch(lows, children);
            }

            var cut = index + 2 == children.Length ? children.Length - 1 : children.Length / 2;
            split = new Split(lows[cut], new Branch(lows[cut..], children[cut..]));
            return new Branch(lows[..cut], children[..cut]);
        }

        public override bool TryWithout(T entry, IComparer<T> order, out Node? shrunk)
        {
            var index = ChildOf(this, new Exact(entry, order));
            if (!Children[index].TryWithout(entry, order, out var child))
            {
                shrunk = null;
                return false;
            }

            if (child is null)
            {
                shrunk = Children.Length == 1 ? null : new Branch(Removed(Lows, index), Removed(Children, index));
                return true;
            }

            Node[] children = [.. Children];
            children[index] = child;
            shrunk = Merged(index, children);
            return true;
        }

        /// <summary>Joins a thin leaf with its neighbour, so that deleting most of a tree also shrinks it.</summary>
        Branch Merged(int index, Node[] children)
        {
            var left = index == 0 ? 0 : index - 1;
            if (children.Length > left + 1 && children[left] is Leaf a && children[left + 1] is Leaf b &&
                a.Entries.Length + b.Entries.Length <= NodeEntriesMax / 2)
            {
                children[left] = new Leaf([.. a.Entries, .. b.Entries]);
                return new Branch(Removed(Lows, left + 1), Removed(children, left + 1));
            }

            return new Branch(Lows, children);
        }
    }

    static TElement[] Inserted<TElement>(TElement[] source, int index, TElement element)
    {
        var copy = new TElement[source.Length + 1];
        source.AsSpan(0, index).CopyTo(copy);
        copy[index] = element;
        source.AsSpan(index).CopyTo(copy.AsSpan(index + 1));
        return copy;
    }

    static TElement[] Removed<TElement>(TElement[] source, int index)
    {
        var copy = new TElement[source.Length - 1];
        source.AsSpan(0, index).CopyTo(copy);
        source.AsSpan(index + 1).CopyTo(copy.AsSpan(index));
        return copy;
    }
}
