using System.Text.Json;

namespace Runtime.Worker;

/// <summary>Where the monitored timers were when the host stopped: a file by the durable store, or memory.</summary>
/// <remarks>The file is replaced whole by a rename, so a crash leaves the old one or the new one. It is written after
/// an occurrence has run: a crash in between makes the timer run again, never skip.</remarks>
sealed class TimerStatuses(string? path)
{
    readonly Lock gate = new();
    Dictionary<string, TimerStatus>? statuses;

    /// <summary>Null when nothing is known or the schedule has changed since.</summary>
    public TimerStatus? Read(string function, string schedule)
    {
        lock (gate)
        {
            return Load().TryGetValue(function, out var status) && status.Schedule == schedule ? status : null;
        }
    }

    public void Write(string function, TimerStatus status)
    {
        lock (gate)
        {
            Load()[function] = status;
            if (path is null)
            {
                return;
            }

            var next = $"{path}.next";
            File.WriteAllBytes(next, JsonSerializer.SerializeToUtf8Bytes(statuses));
            File.Move(next, path, overwrite: true);
        }
    }

    Dictionary<string, TimerStatus> Load()
    {
        if (statuses is null && path is not null && File.Exists(path))
        {
            try
            {
                statuses = JsonSerializer.Deserialize<Dictionary<string, TimerStatus>>(File.ReadAllBytes(path));
            }
            catch (JsonException e)
            {
                throw new FunctionsRefusedException(
                    $"'{path}' is damaged; delete it to forget missed timers. {e.Message}");
            }
        }

        return statuses ??= [];
    }
}

/// <summary>One timer's place in its schedule.</summary>
sealed record TimerStatus(string Schedule, DateTimeOffset Last, DateTimeOffset Next);
