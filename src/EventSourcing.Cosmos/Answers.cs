using System.Net;
using Microsoft.Azure.Cosmos;

namespace EventSourcing.Cosmos;

/// <summary>Tells the answers of the database apart.</summary>
static class Answers
{
    const string NoContainer = "1003";

    /// <summary>False when there is no such document; that there is no such container is a fault.</summary>
    public static bool IsFound(ResponseMessage response)
    {
        if (response.StatusCode == HttpStatusCode.NotFound && response.Headers["x-ms-substatus"] != NoContainer)
            return false;
        response.EnsureSuccessStatusCode();
        return true;
    }
}
