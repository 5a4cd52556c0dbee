namespace Microsoft.Azure.Functions.Worker.Http;

/// <summary>Fills the parameter from the JSON body of the request.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
public class FromBodyAttribute : Attribute;
