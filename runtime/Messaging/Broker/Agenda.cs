namespace Runtime.Messaging;

/// <summary>Something that has to act when time comes: a lock that ends, a message that is due.</summary>
interface ITimed
{
    /// <summary>UTC ticks; <see cref="Agenda.Never"/> when nothing is waiting for time.</summary>
    long NextDue { get; }

    /// <summary>Does what is due at <paramref name="now"/>; afterwards <see cref="NextDue"/> lies behind it.</summary>
    void Advance(long now);
}

/// <summary>Who acts next, and when.</summary>
sealed class Agenda
{
    public const long Never = long.MaxValue;

    readonly SortedSet<(long Due, int Id)> order = [];
    readonly List<(ITimed Item, long Due)> items = [];

    public long NextDue => order.Count == 0 ? Never : order.Min.Due;

    /// <returns>The id by which <see cref="Refresh"/> knows it.</returns>
    public int Add(ITimed item)
    {
        items.Add((item, Never));
        return items.Count - 1;
    }

    /// <summary>Lets the first in line act.</summary>
    public void ActNext(long now)
    {
        var id = order.Min.Id;
        items[id].Item.Advance(now);
        Refresh(id);
    }

    public void Refresh(int id)
    {
        var (item, due) = items[id];
        var next = item.NextDue;
        if (next == due)
        {
            return;
        }

        order.Remove((due, id));
        items[id] = (item, next);
        if (next != Never)
        {
            order.Add((next, id));
        }
    }
}
