namespace Microsoft.DurableTask.Worker;

/// <summary>How a host treats instances of other versions than its own.</summary>
public class DurableTaskWorkerOptions
{
    /// <summary>Which instances the host runs.</summary>
    public enum VersionMatchStrategy
    {
        /// <summary>All of them.</summary>
        None = 0,

        /// <summary>Those of its own version.</summary>
        Strict = 1,

        /// <summary>Those of its own version or an older one.</summary>
        CurrentOrOlder = 2,
    }

    /// <summary>What happens to the others.</summary>
    public enum VersionFailureStrategy
    {
        /// <summary>They are left alone until a host comes that runs them.</summary>
        Reject = 0,

        /// <summary>They fail.</summary>
        Fail = 1,
    }
}
