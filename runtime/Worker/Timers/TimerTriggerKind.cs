using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Runtime.Worker;

/// <summary>Timer functions.</summary>
sealed class TimerTriggerKind(TimerStatuses statuses) : ITriggerKind
{
    const string Zone = "WEBSITE_TIME_ZONE";

    public Type Attribute => typeof(TimerTriggerAttribute);

    public bool HonoursRetry => true;

    public string? HostJsonSection => null;

    public ITriggerSource Attach(TriggeredFunction function, TriggerServices host)
    {
        var trigger = (TimerTriggerAttribute)function.Trigger;
        var type = function.Parameter.ParameterType;
        if (type != typeof(TimerInfo))
        {
            throw function.Refusal($"a timer fills a TimerInfo, not {type.Name}.", function.Parameter);
        }

        function.Bind(function.Parameter, static (_, payload) => new(payload));
        try
        {
            var schedule = Schedule.Parse(host.Settings.Expand(trigger.Schedule), TimeZone(host.Settings));
            var logger = host.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Host.Timers");
            return new TimerSource(function, trigger, schedule, statuses, host.Clock, logger);
        }
        catch (Exception e) when (e is FormatException or FunctionsRefusedException or TimeZoneNotFoundException)
        {
            throw function.Refusal($"its schedule cannot be used: {e.Message}");
        }
    }

    // Azure counts in UTC unless this setting says otherwise.
    static TimeZoneInfo TimeZone(AppSettings settings) =>
        settings[Zone] is { } zone ? TimeZoneInfo.FindSystemTimeZoneById(zone) : TimeZoneInfo.Utc;
}
