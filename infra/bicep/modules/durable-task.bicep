param name string
param hubName string
param location string
param tags object

@allowed(['Consumption', 'Dedicated'])
param sku string

@description('Capacity units of a Dedicated scheduler; three of them survive the loss of a zone.')
param capacity int

resource scheduler 'Microsoft.DurableTask/schedulers@2025-11-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    // An empty list admits nobody. There are no keys to leak: every caller needs an identity with a role on the hub.
    ipAllowlist: ['0.0.0.0/0']
    sku: sku == 'Dedicated' ? { name: 'Dedicated', capacity: capacity } : { name: 'Consumption' }
  }
}

resource hub 'Microsoft.DurableTask/schedulers/taskHubs@2025-11-01' = {
  parent: scheduler
  name: hubName
}

output schedulerName string = scheduler.name
output endpoint string = scheduler.properties.endpoint
output hubName string = hub.name
