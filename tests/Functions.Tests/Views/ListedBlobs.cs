using System.Net;
using System.Text;
using System.Web;
using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using Functions.Storage;

namespace Functions.Tests.Views;

/// <summary>As much of a Blob Storage account as a list of archives asks for.</summary>
sealed class ListedBlobs
{
    readonly SortedSet<string> names = new(StringComparer.Ordinal);

    public void Add(string name) => names.Add(name);

    public BlobStorage Storage() => new(new BlobServiceClient(
        new Uri("http://blobs.invalid/account"),
        new BlobClientOptions
        {
            Transport = new HttpClientTransport(new HttpClient(new Account(names))),
            Retry = { MaxRetries = 0 },
        }));

    sealed class Account(SortedSet<string> names) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var query = HttpUtility.ParseQueryString(request.RequestUri!.Query);
            var (marker, most) = (query["marker"] ?? "", int.Parse(query["maxresults"]!, null));
            var rest = names.Where(name => string.CompareOrdinal(name, marker) >= 0
                && name.StartsWith(query["prefix"] ?? "", StringComparison.Ordinal)).ToList();
            var blobs = rest.Take(most).Select(name =>
                $"<Blob><Name>{name}</Name><Properties><Content-Length>1</Content-Length></Properties></Blob>");
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK)
            {
                Content = new StringContent(
                    $"<EnumerationResults><Blobs>{string.Concat(blobs)}</Blobs>"
                        + $"<NextMarker>{rest.Skip(most).FirstOrDefault()}</NextMarker></EnumerationResults>",
                    Encoding.UTF8, "application/xml"),
            });
        }
    }
}
