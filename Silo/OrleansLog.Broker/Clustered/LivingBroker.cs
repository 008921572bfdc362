using OrleansLog.Protocol;

namespace OrleansLog.Broker.Clustered;

/// <summary>A broker that lives, as the engine's membership has it.</summary>
/// <param name="Broker">Its id.</param>
/// <param name="Incarnation">Tells this start of its process from every other one.</param>
public readonly record struct LivingBroker(BrokerId Broker, long Incarnation);
