param name string
param location string
param tags object
param publicAccess bool
param throughputUnits int
param throughputUnitsMax int

// Every `properties` is written as Azure Resource Manager wants it, so it is passed on untouched.
var topology = loadJsonContent('../../topology/messaging.json').eventHubs

var groupList = flatten(map(topology.hubs, (hub, h) => map(hub.consumerGroups, group => { hub: h, name: group })))

resource namespace 'Microsoft.EventHub/namespaces@2024-01-01' = {
  name: name
  location: location
  tags: tags
  sku: { name: 'Standard', tier: 'Standard', capacity: throughputUnits }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
    publicNetworkAccess: publicAccess ? 'Enabled' : 'Disabled'
    isAutoInflateEnabled: true
    maximumThroughputUnits: throughputUnitsMax
  }
}

resource hubs 'Microsoft.EventHub/namespaces/eventhubs@2024-01-01' = [
  for hub in topology.hubs: {
    parent: namespace
    name: hub.name
    properties: hub.properties
  }
]

resource groups 'Microsoft.EventHub/namespaces/eventhubs/consumergroups@2024-01-01' = [
  for group in groupList: {
    parent: hubs[group.hub]
    name: group.name
  }
]

output id string = namespace.id
output name string = namespace.name
// The endpoint reads https://<host>:443/.
output host string = split(split(namespace.properties.serviceBusEndpoint, '/')[2], ':')[0]
