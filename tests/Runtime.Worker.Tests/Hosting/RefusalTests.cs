using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace Runtime.Worker.Tests;

public sealed class BadFunctions
{
    [Function("Poco")]
    public object Poco([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request) => "a plain object";

    [Function("Mvc")]
    public Task<IActionResult> Mvc([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request) =>
        Task.FromResult<IActionResult>(new OkResult());

    [Function("WholeContext")]
    public void WholeContext([HttpTrigger(AuthorizationLevel.Anonymous)] HttpContext http) => http.Abort();

    [Function("Stray")]
    public void Stray([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request, Probe stray) =>
        stray.Write(request.Path);

    [Function("Odd")]
    public void Odd([HttpTrigger(AuthorizationLevel.Anonymous, Route = "odd/{what}")] HttpRequest request, Uri what) =>
        Assert.NotNull(what);

    [Function("Missing")]
    public void Missing(
        [HttpTrigger(AuthorizationLevel.Anonymous, Route = "missing/{page?}")] HttpRequest request, int page) =>
        Assert.Equal(0, page);

    [Function("Broken")]
    public void Broken([HttpTrigger(AuthorizationLevel.Anonymous, Route = "broken/{a")] HttpRequest request) =>
        Assert.NotNull(request);

    [Function("Unconstrained")]
    public void Unconstrained(
        [HttpTrigger(AuthorizationLevel.Anonymous, Route = "u/{a:colour}")] HttpRequest request) =>
        Assert.NotNull(request);

    [Function("Miscounted")]
    public void Miscounted(
        [HttpTrigger(AuthorizationLevel.Anonymous, Route = "m/{a:max(many)}")] HttpRequest request) =>
        Assert.NotNull(request);

    [Function("Same")]
    public void Same([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "same/{a}")] HttpRequest request) =>
        Assert.NotNull(request);

    [Function("SameAgain")]
    public void SameAgain([HttpTrigger(AuthorizationLevel.Anonymous, Route = "SAME/{b}")] HttpRequest request) =>
        Assert.NotNull(request);

    [Function("Twice")]
    public void Twice([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request) => Assert.NotNull(request);

    [Function("TWICE")]
    public void TwiceAgain([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request) => Assert.NotNull(request);

    [Function("not a name")]
    public void Unnamed([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request) => Assert.NotNull(request);

    [Function("Idle")]
    public void Idle(FunctionContext context) => Assert.NotNull(context);

    [Function("Torn")]
    public void Torn([HttpTrigger] HttpRequest request, [TimerTrigger("* * * * * *")] TimerInfo timer) =>
        Assert.False(request.HasFormContentType && timer.IsPastDue);

    [Function("Fleeting")]
    public async void Fleeting([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request) =>
        await request.Body.FlushAsync();

    [Function("Eager")]
    [FixedDelayRetry(3, "00:00:01")]
    public void Eager([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request) => Assert.NotNull(request);

    [Function("Foreign")]
    public void Foreign([ForeignTrigger] string message) => Assert.NotNull(message);

    [Function("Clock")]
    public void Clock([TimerTrigger("%Missing%")] TimerInfo timer) => Assert.NotNull(timer);

    [Function("Hidden")]
    internal void Hidden([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request) => Assert.NotNull(request);
}

public sealed class NeedyFunctions(Probe probe)
{
    [Function("Needy")]
    public void Needy([HttpTrigger(AuthorizationLevel.Anonymous)] HttpRequest request) => probe.Write(request.Path);
}

public sealed class ForeignTriggerAttribute : TriggerBindingAttribute;

public sealed class RefusalTests
{
    [Theory]
    [InlineData("Poco", "answers with Object, which the real worker drops")]
    [InlineData("Mvc", "answers with IActionResult, which the real worker drops")]
    [InlineData("WholeContext", "parameter 'http': the trigger of an HTTP function is an HttpRequest")]
    [InlineData("Stray", "parameter 'stray': nothing fills it")]
    [InlineData("Odd", "parameter 'what': a route value cannot become Uri")]
    [InlineData("Missing", "parameter 'page': its route value is optional")]
    [InlineData("Broken", "its route 'api/broken/{a' is malformed")]
    [InlineData("Unconstrained", "its route constraint 'colour' is unknown")]
    [InlineData("Miscounted", "its route constraint 'max(many)' is wrong")]
    [InlineData("SameAgain", "is answered by function 'Same' already")]
    [InlineData("Twice", "the name is taken by Runtime.Worker.Tests.BadFunctions.Twice")]
    [InlineData("not a name", "a name is a letter followed by")]
    [InlineData("Idle", "no parameter carries a trigger attribute")]
    [InlineData("Torn", "2 parameters carry a trigger attribute")]
    [InlineData("Fleeting", "'async void' would end before its work does")]
    [InlineData("Eager", "[FixedDelayRetryAttribute] has no effect")]
    [InlineData("Foreign", "parameter 'message': [ForeignTriggerAttribute] is not offered")]
    [InlineData("Clock", "its schedule cannot be used: '%Missing%' needs the setting 'Missing'")]
    [InlineData("Hidden", "the method must be public")]
    public async Task What_cannot_run_is_refused_at_start_by_name(string function, string reason)
    {
        var message = await TestHost.RefusalAsync(TestHost.Options(typeof(BadFunctions)));

        Assert.Contains(
            message.Split('\n'),
            line => line.Contains($"Function '{function}'", StringComparison.OrdinalIgnoreCase) &&
                line.Contains(reason, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_service_that_nobody_registered_is_missed_at_start()
    {
        var message = await TestHost.RefusalAsync(TestHost.Options(typeof(NeedyFunctions)));

        Assert.Contains(
            "Function 'Needy' (Runtime.Worker.Tests.NeedyFunctions.Needy), parameter 'probe': its class needs a " +
            "Runtime.Worker.Tests.Probe, which is not registered.", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Http_functions_need_the_web_application()
    {
        var message = await TestHost.RefusalAsync(
            TestHost.Options(typeof(TraceFunctions)) with { Configure = _ => { } });

        Assert.Contains("ConfigureFunctionsWebApplication()", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_without_functions_is_refused()
    {
        var message = await TestHost.RefusalAsync(TestHost.Options());

        Assert.Contains("There is no [Function] in Runtime.Worker.Tests", message, StringComparison.Ordinal);
    }
}
