metadata description = 'Reaches one resource from inside the network, under the name it has outside.'

param name string
param location string
param tags object
param subnetId string
param targetId string

@description('Which part of the resource: blob, Sql, namespace, vault …')
param group string
param zoneId string

resource endpoint 'Microsoft.Network/privateEndpoints@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    subnet: { id: subnetId }
    privateLinkServiceConnections: [
      { name: group, properties: { privateLinkServiceId: targetId, groupIds: [group] } }
    ]
  }

  // Without it the endpoint has an address and nobody finds it.
  resource names 'privateDnsZoneGroups' = {
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [{ name: group, properties: { privateDnsZoneId: zoneId } }]
    }
  }
}
