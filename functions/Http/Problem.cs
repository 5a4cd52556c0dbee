using EventSourcing;
using Microsoft.AspNetCore.Http;

namespace Functions.Http;

/// <summary>
/// Every "no" this API answers, made in one place: RFC 9457 problem details with a stable kebab-case <c>code</c>.
/// </summary>
static class Problem
{
    public static IResult Of(Refusal refusal) => Of(StatusOf(refusal.Kind), refusal.Code, refusal.Detail);

    public static IResult Of(int status, string code, string detail) => TypedResults.Problem(
        detail,
        statusCode: status,
        title: code.Replace('-', ' '),
        type: $"/problems/{code}",
        extensions: [new("code", code)]);

    static int StatusOf(RefusalKind kind) => kind switch
    {
        RefusalKind.Invalid => StatusCodes.Status400BadRequest,
        RefusalKind.Unknown => StatusCodes.Status404NotFound,
        RefusalKind.Stale => StatusCodes.Status412PreconditionFailed,
        _ => StatusCodes.Status409Conflict,
    };
}

/// <summary>A request that can not be understood or is not allowed as it stands; nothing was written.</summary>
sealed class InvalidRequestException(Refusal refusal, int? status = null) : Exception(refusal.Detail)
{
    public Refusal Refusal { get; } = refusal;

    public int? Status { get; } = status;

    public InvalidRequestException(string code, string detail, int? status = null)
        : this(new(code, detail, RefusalKind.Invalid), status)
    {
    }
}
