namespace Runtime.Messaging.Queues;

/// <summary>How entities are addressed, in the service's notation.</summary>
static class EntityPath
{
    const string SubscriptionPart = "/Subscriptions/";
    const string DeadLetterPart = "/$DeadLetterQueue";

    public static string Subscription(string topic, string subscription) => topic + SubscriptionPart + subscription;

    public static string DeadLetters(string path) => path + DeadLetterPart;
}
