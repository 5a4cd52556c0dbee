using System.Runtime.InteropServices;

namespace Benchmarks;

/// <summary>Where the numbers were measured: without that they say nothing.</summary>
sealed record Machine(string Processor, int Cores, double MemoryGb, string System, string Runtime, string? Load)
{
    public static Machine Here() => new(
        Lines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))
            ?.Split(':', 2)[1].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString(),
        Environment.ProcessorCount,
        Math.Round(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e9),
        RuntimeInformation.OSDescription,
        RuntimeInformation.FrameworkDescription,
        Lines("/proc/loadavg").FirstOrDefault()?.Split(' ')[0]);

    /// <summary>A machine that does other things meanwhile measures those too, so its load is told.</summary>
    public override string ToString() =>
        $"{Cores} cores of {Processor}, {MemoryGb} GB, {System}, {Runtime}"
        + (Load is null ? "" : $", load average {Load} at the start");

    static string[] Lines(string file) => File.Exists(file) ? File.ReadAllLines(file) : [];
}
