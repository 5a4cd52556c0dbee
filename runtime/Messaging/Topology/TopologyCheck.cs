using Runtime.Messaging.Filters;

namespace Runtime.Messaging;

/// <summary>Azure's bounds on entities, so that what runs here can be deployed there.</summary>
static class TopologyCheck
{
    const int EntitiesMax = 1_000;
    const int SubscriptionsPerTopicMax = 2_000;
    const int RulesPerSubscriptionMax = 2_000;
    const int PathCharsMax = 260;
    const int NameCharsMax = 50;
    const int DeliveriesMax = 2_000;
    const int PartitionsMax = 32;
    const int ConsumerGroupsMax = 20;
    static readonly TimeSpan LockDurationMax = TimeSpan.FromMinutes(5);
    static readonly TimeSpan DuplicateWindowMin = TimeSpan.FromSeconds(20);
    static readonly TimeSpan DuplicateWindowMax = TimeSpan.FromDays(7);
    static readonly TimeSpan RetentionMin = TimeSpan.FromHours(1);
    static readonly TimeSpan RetentionMax = TimeSpan.FromDays(90);

    public static void Run(MessagingTopology topology)
    {
        Require(
            topology.Queues.Count + topology.Topics.Count + topology.Hubs.Count <= EntitiesMax,
            "The topology", $"has at most {EntitiesMax} queues, topics and hubs");
        Distinct([.. topology.Queues.Select(q => q.Name), .. topology.Topics.Select(t => t.Name)], "queue or topic");
        Distinct([.. topology.Hubs.Select(hub => hub.Name)], "event hub");
        foreach (var queue in topology.Queues)
        {
            Queue(queue);
        }

        foreach (var topic in topology.Topics)
        {
            Topic(topic);
        }

        foreach (var hub in topology.Hubs)
        {
            Hub(hub);
        }
    }

    static void Queue(QueueDeclaration queue)
    {
        var name = $"Queue '{queue.Name}'";
        Name(queue.Name, name, PathCharsMax);
        Receiving(name, queue.LockDuration, queue.MaxDeliveryCount, queue.DefaultMessageTimeToLive);
        Duplicates(name, queue.DuplicateDetectionWindow);
        Require(queue.SizeBytesMax > 0, name, "needs room");
    }

    static void Topic(TopicDeclaration topic)
    {
        var name = $"Topic '{topic.Name}'";
        Name(topic.Name, name, PathCharsMax);
        Require(topic.DefaultMessageTimeToLive > TimeSpan.Zero, name, "needs a positive time to live");
        Duplicates(name, topic.DuplicateDetectionWindow);
        Require(topic.SizeBytesMax > 0, name, "needs room");
        Require(
            topic.Subscriptions.Count <= SubscriptionsPerTopicMax, name,
            $"has at most {SubscriptionsPerTopicMax} subscriptions");
        Distinct([.. topic.Subscriptions.Select(s => s.Name)], $"subscription of {name}");
        foreach (var subscription in topic.Subscriptions)
        {
            var where = $"{name}, subscription '{subscription.Name}'";
            Name(subscription.Name, where, NameCharsMax);
            Receiving(
                where, subscription.LockDuration, subscription.MaxDeliveryCount, subscription.DefaultMessageTimeToLive);
            Rules(where, subscription.Rules);
        }
    }

    static void Rules(string where, IReadOnlyList<RuleDeclaration> rules)
    {
        Require(rules.Count <= RulesPerSubscriptionMax, where, $"has at most {RulesPerSubscriptionMax} rules");
        Distinct([.. rules.Select(rule => rule.Name)], $"rule of {where}");
        foreach (var rule in rules)
        {
            Require(rule.Name is { Length: > 0 and <= NameCharsMax }, where, "has a rule without a usable name");
            Require(rule.SqlFilter is null || rule.Correlation is null, where, $"rule '{rule.Name}' has two filters");
            try
            {
                _ = new Rule(rule);
            }
            catch (SqlSyntaxException e)
            {
                throw new TopologyException($"{where}, rule '{rule.Name}': {e.Message}", e);
            }
        }
    }

    static void Hub(HubDeclaration hub)
    {
        var name = $"Event hub '{hub.Name}'";
        Name(hub.Name, name, PathCharsMax);
        Require(hub.PartitionCount is >= 1 and <= PartitionsMax, name, $"has 1 to {PartitionsMax} partitions");
        Require(
            hub.Retention >= RetentionMin && hub.Retention <= RetentionMax, name,
            $"keeps events between {RetentionMin.TotalHours} hour and {RetentionMax.TotalDays} days");
        Require(hub.ConsumerGroups.Count <= ConsumerGroupsMax, name,
            $"has at most {ConsumerGroupsMax} consumer groups");
        Distinct(hub.ConsumerGroups, $"consumer group of {name}");
        foreach (var group in hub.ConsumerGroups.Where(group => group != Hubs.Hub.DefaultGroup))
        {
            Name(group, $"{name}, consumer group '{group}'", NameCharsMax);
        }
    }

    static void Receiving(string name, TimeSpan lockDuration, int deliveries, TimeSpan timeToLive)
    {
        Require(
            lockDuration > TimeSpan.Zero && lockDuration <= LockDurationMax, name,
            $"needs a lock duration of at most {LockDurationMax.TotalMinutes} minutes");
        Require(deliveries is >= 1 and <= DeliveriesMax, name, $"delivers 1 to {DeliveriesMax} times");
        Require(timeToLive > TimeSpan.Zero, name, "needs a positive time to live");
    }

    static void Duplicates(string name, TimeSpan? window) => Require(
        window is null || (window >= DuplicateWindowMin && window <= DuplicateWindowMax), name,
        $"remembers message ids between {DuplicateWindowMin.TotalSeconds} seconds and {DuplicateWindowMax.TotalDays} days");

    static void Name(string name, string where, int charsMax) => Require(
        name is { Length: > 0 } && name.Length <= charsMax && char.IsAsciiLetterOrDigit(name[0]) &&
        char.IsAsciiLetterOrDigit(name[^1])
            && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or '/'),
        where, $"needs a name of 1 to {charsMax} letters, digits, '.', '-', '_' or '/' that begins and ends with none of these signs");

    static void Distinct(IReadOnlyList<string> names, string kind)
    {
        // Names ignore case on Azure, so two that differ only by it would be one there.
        var twice = names.GroupBy(name => name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(
            group => group.Count() > 1);
        Require(twice is null, $"The {kind} '{twice?.Key}'", "is declared twice");
    }

    static void Require(bool condition, string who, string rule)
    {
        if (!condition)
        {
            throw new TopologyException($"{who} {rule}.");
        }
    }
}
