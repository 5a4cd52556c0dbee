using Microsoft.Azure.Cosmos;

namespace Functions.Queries;

/// <summary>What one owner said; or his name, when he did not answer in time or could not.</summary>
public readonly record struct Part<T>(T? Value, string? Missing)
    where T : class;

/// <summary>Asks one owner for his part of an answer, and never longer than agreed.</summary>
public static class Part
{
    /// <summary>A late owner costs his part, not the answer: whoever composes goes on with what there is.</summary>
    public static async Task<Part<T>> AskAsync<T>(
        string name, Func<CancellationToken, Task<T?>> ask, TimeSpan deadline, TimeProvider clock,
        CancellationToken cancellation)
        where T : class
    {
        using var late = new CancellationTokenSource(deadline, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellation);
        try
        {
            return new(await ask(either.Token).WaitAsync(either.Token), null);
        }
        catch (Exception fault) when (fault is OperationCanceledException or CosmosException or HttpRequestException
            && !cancellation.IsCancellationRequested)
        {
            return new(null, name);
        }
    }
}
