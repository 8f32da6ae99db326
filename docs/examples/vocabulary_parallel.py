"""A loss whose classes are spread over processes, as where a vocabulary is in parallel; and three that are wrong."""

import torch
import torch.distributed as dist


class VocabularyParallel(torch.autograd.Function):
    """The mean loss of a shard of the logits (N, K / ranks) and labels (N,) of all classes."""

    @staticmethod
    def forward(ctx, logits, labels, group):
        """The mean over the rows, the same on each rank."""
        n_classes = logits.shape[1]
        highest = logits.amax(1)
        dist.all_reduce(highest, dist.ReduceOp.MAX, group)
        shifted = logits - highest[:, None]
        p = shifted.exp()
        total = p.sum(1)
        dist.all_reduce(total, dist.ReduceOp.SUM, group)
        local = labels - dist.get_rank(group) * n_classes
        is_here = (local >= 0) & (local < n_classes)
        local = local.clamp(0, n_classes - 1)[:, None]
        picked = shifted.gather(1, local)[:, 0].where(is_here, 0)
        dist.all_reduce(picked, dist.ReduceOp.SUM, group)
        p /= total[:, None]
        p.scatter_add_(1, local, -is_here[:, None].to(p.dtype))
        ctx.save_for_backward(p)
        return (total.log() - picked).mean()

    @staticmethod
    def backward(ctx, upstream):
        """The shard's part of the gradient."""
        (p,) = ctx.saved_tensors
        return upstream * p / len(p), None, None


def loss(logits, labels, group):
    """A sound one."""
    return VocabularyParallel.apply(logits, labels, group)


def plain(logits, labels, group):
    """The same as loss and gradient, without autograd."""
    shard = logits.detach().requires_grad_()
    value = loss(shard, labels, group)
    return value.detach(), torch.autograd.grad(value, shard)[0]


def local_maximum(logits, labels, group):
    """Forgets the all-reduce of the maximum: each rank shifts its exponentials by another number."""
    highest = logits.detach().amax(1)
    total = (logits - highest[:, None]).exp().sum(1)
    whole = total.detach().clone()
    dist.all_reduce(whole, dist.ReduceOp.SUM, group)
    return _mean(logits, highest, total + (whole - total.detach()), labels, group)


def label_of_another_shard(logits, labels, group):
    """Has each rank pick a logit, whether the label is of its shard or not."""
    highest = logits.detach().amax(1)
    dist.all_reduce(highest, dist.ReduceOp.MAX, group)
    shifted = logits - highest[:, None]
    total = shifted.exp().sum(1)
    whole = total.detach().clone()
    dist.all_reduce(whole, dist.ReduceOp.SUM, group)
    picked = shifted.gather(1, labels[:, None] % logits.shape[1])[:, 0]
    picked_by_all = picked.detach().clone()
    dist.all_reduce(picked_by_all, dist.ReduceOp.SUM, group)
    log_total = (total + (whole - total.detach())).log()
    return (log_total - picked - (picked_by_all - picked.detach())).mean()


class _NotDivided(VocabularyParallel):
    @staticmethod
    def backward(ctx, upstream):
        (p,) = ctx.saved_tensors
        return upstream * p, None, None


def gradient_not_divided(logits, labels, group):
    """The loss is a mean over the rows, the gradient that of a sum."""
    return _NotDivided.apply(logits, labels, group)


def _mean(logits, highest, total, labels, group):
    n_classes = logits.shape[1]
    local = labels - dist.get_rank(group) * n_classes
    is_here = (local >= 0) & (local < n_classes)
    shifted = logits - highest[:, None]
    picked = shifted.gather(1, local.clamp(0, n_classes - 1)[:, None])[:, 0].where(is_here, 0)
    picked_by_all = picked.detach().clone()
    dist.all_reduce(picked_by_all, dist.ReduceOp.SUM, group)
    return (total.log() - picked - (picked_by_all - picked.detach())).mean()
