using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;

namespace Runtime.Worker;

/// <summary>One HTTP function at its address.</summary>
sealed record HttpRoute(
    TriggeredFunction Function, RoutePattern Pattern, IReadOnlyList<string> Methods, FunctionKeys? Keys)
    : ITriggerSource
{
    public string Description => $"{(Methods.Count == 0 ? "*" : string.Join(',', Methods))} /{Pattern.RawText}";

    // The pattern without the parameters' names: two routes of one shape match the same addresses.
    string Shape => string.Join('/', Pattern.PathSegments.Select(segment => string.Concat(segment.Parts.Select(Part))));

    // The web server starts and stops all routes at once.
    public Task StartAsync(CancellationToken cancellation) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellation) => Task.CompletedTask;

    /// <summary>Whether some request would fit both.</summary>
    public bool Overlaps(HttpRoute other) => Shape == other.Shape &&
        (Methods.Count == 0 || other.Methods.Count == 0 || Methods.Intersect(other.Methods).Any());

    public Endpoint Endpoint(RequestDelegate serve)
    {
        var endpoint = new RouteEndpointBuilder(serve, Pattern, order: 0) { DisplayName = Function.Name };
        if (Methods.Count > 0)
        {
            endpoint.Metadata.Add(new HttpMethodMetadata(Methods));
        }

        return endpoint.Build();
    }

    static string Part(RoutePatternPart part) => part switch
    {
        RoutePatternLiteralPart literal => literal.Content.ToUpperInvariant(),
        RoutePatternSeparatorPart separator => separator.Content,
        RoutePatternParameterPart parameter => (parameter.IsCatchAll ? "{*" : "{") +
            string.Concat(parameter.ParameterPolicies.Select(policy => $":{policy.Content}")) + "}",
        _ => throw new InvalidOperationException($"Unknown route part {part.GetType()}."),
    };
}
