param name string
param location string
param tags object
param publicAccess bool

@allowed(['Standard', 'Premium'])
param sku string

// Every `properties` is written as Azure Resource Manager wants it, so it is passed on untouched.
var topology = loadJsonContent('../../topology/messaging.json').serviceBus

var subscriptionList = flatten(map(topology.topics, (topic, t) => map(topic.subscriptions, subscription => {
  topic: t
  name: subscription.name
  properties: subscription.properties
  rules: subscription.rules
})))
var ruleList = flatten(map(subscriptionList, (subscription, s) => map(subscription.rules, rule => {
  subscription: s
  name: rule.name
  properties: rule.properties
})))

resource namespace 'Microsoft.ServiceBus/namespaces@2024-01-01' = {
  name: name
  location: location
  tags: tags
  sku: { name: sku, tier: sku, capacity: sku == 'Premium' ? 1 : null }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
    publicNetworkAccess: publicAccess ? 'Enabled' : 'Disabled'
    premiumMessagingPartitions: sku == 'Premium' ? 1 : 0
  }
}

resource topics 'Microsoft.ServiceBus/namespaces/topics@2024-01-01' = [
  for topic in topology.topics: {
    parent: namespace
    name: topic.name
    properties: topic.properties
  }
]

resource subscriptions 'Microsoft.ServiceBus/namespaces/topics/subscriptions@2024-01-01' = [
  for subscription in subscriptionList: {
    parent: topics[subscription.topic]
    name: subscription.name
    properties: subscription.properties
  }
]

// A new subscription matches everything by a rule named $Default: each declares its first rule under that name.
resource rules 'Microsoft.ServiceBus/namespaces/topics/subscriptions/rules@2024-01-01' = [
  for rule in ruleList: {
    parent: subscriptions[rule.subscription]
    name: rule.name
    properties: rule.properties
  }
]

// The list may be empty, and then has no element type to look into.
resource queues 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = [
  for queue in any(topology.queues): {
    parent: namespace
    name: queue.name
    properties: queue.properties
  }
]

output id string = namespace.id
output name string = namespace.name
// The endpoint reads https://<host>:443/.
output host string = split(split(namespace.properties.serviceBusEndpoint, '/')[2], ':')[0]
