package node

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// status is what the API is to tell of the pod, which is locked.
func (p *pod) status() corev1.PodStatus {
	hostIP := p.node.ip()
	started := metav1.NewTime(p.started)
	status := corev1.PodStatus{
		ObservedGeneration: p.object.Generation,
		PodIP:              p.ip,
		PodIPs:             []corev1.PodIP{{IP: p.ip}},
		HostIP:             hostIP,
		HostIPs:            []corev1.HostIP{{IP: hostIP}},
		StartTime:          &started,
	}
	initialized, ready := true, true
	for _, c := range p.containers {
		it := *c.status.DeepCopy()
		switch c.kind {
		case initial:
			status.InitContainerStatuses = append(status.InitContainerStatuses, it)
			initialized = initialized && it.Ready
		case regular:
			status.ContainerStatuses = append(status.ContainerStatuses, it)
			ready = ready && it.Ready
		case ephemeral:
			status.EphemeralContainerStatuses = append(status.EphemeralContainerStatuses, it)
		}
	}
	status.Phase = p.phase(status)
	ready = ready && initialized && status.Phase == corev1.PodRunning
	status.Conditions = p.conditions(map[corev1.PodConditionType]bool{
		corev1.PodScheduled:              true,
		corev1.PodReadyToStartContainers: status.Phase == corev1.PodPending || status.Phase == corev1.PodRunning,
		corev1.PodInitialized:            initialized,
		corev1.ContainersReady:           ready,
		corev1.PodReady:                  ready,
	})
	return status
}

// phase follows kubelet's rules.
func (p *pod) phase(status corev1.PodStatus) corev1.PodPhase {
	policy := p.policy
	if p.stopped {
		policy = never
	}
	for _, it := range status.InitContainerStatuses {
		if end := it.State.Terminated; end != nil && end.ExitCode != 0 && policy == never {
			return corev1.PodFailed
		}
	}
	var waiting, running, ended, failed int
	for _, it := range status.ContainerStatuses {
		end := it.State.Terminated
		if end == nil {
			end = it.LastTerminationState.Terminated
		}
		switch {
		case it.State.Running != nil:
			running++
		case end == nil:
			waiting++
		default:
			ended++
			if end.ExitCode != 0 {
				failed++
			}
		}
	}
	switch {
	case waiting > 0:
		return corev1.PodPending
	case running > 0, policy == corev1.RestartPolicyAlways, failed > 0 && policy == corev1.RestartPolicyOnFailure:
		return corev1.PodRunning
	case failed > 0:
		return corev1.PodFailed
	default:
		return corev1.PodSucceeded
	}
}

// conditions keeps the times of those that are as they were.
func (p *pod) conditions(now map[corev1.PodConditionType]bool) []corev1.PodCondition {
	var all []corev1.PodCondition
	for name, holds := range now {
		it := corev1.PodCondition{
			Type: name, Status: corev1.ConditionFalse, ObservedGeneration: p.object.Generation,
			LastTransitionTime: metav1.Now(),
		}
		if holds {
			it.Status = corev1.ConditionTrue
		}
		if known, ok := p.known[name]; ok && known.Status == it.Status {
			it.LastTransitionTime = known.LastTransitionTime
		}
		p.known[name] = it
		all = append(all, it)
	}
	return all
}
