metadata description = 'The optional private network: a subnet for private endpoints, one for what the apps send.'

param name string
param location string
param tags object

@description('The DNS zones whose names must lead to private endpoints.')
param zones array

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: ['10.0.0.0/16'] }
    subnets: [
      {
        name: 'private-endpoints'
        properties: { addressPrefix: '10.0.1.0/24', privateEndpointNetworkPolicies: 'Disabled' }
      }
      {
        // Five apps of up to a hundred instances share it; some 40 addresses an app are advised.
        name: 'apps'
        properties: {
          addressPrefix: '10.0.2.0/23'
          defaultOutboundAccess: true
          delegations: [{ name: 'flex', properties: { serviceName: 'Microsoft.App/environments' } }]
        }
      }
    ]
  }
}

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for zoneName in zones: {
    name: zoneName
    location: 'global'
    tags: tags
  }
]

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (zoneName, i) in zones: {
    parent: zone[i]
    name: 'network'
    location: 'global'
    tags: tags
    properties: { registrationEnabled: false, virtualNetwork: { id: network.id } }
  }
]

output endpointSubnetId string = '${network.id}/subnets/private-endpoints'
output appSubnetId string = '${network.id}/subnets/apps'
output zoneIds array = [for (zoneName, i) in zones: zone[i].id]
